// The log: Redis' line formats byte by byte, levels, destinations, and that no line is lost.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock } from "../../src/base/clock.ts";
import { Logger, type LoggerOptions } from "../../src/base/log.ts";

let dir: string;
let file: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "redis-ts-log-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

let count = 0;
function logger(clock = new ManualClock(0), options: Partial<LoggerOptions> = {}): Logger {
  file = join(dir, `${count++}.log`);
  return new Logger({ clock, pid: 42, file, ...options });
}
const written = (): string => readFileSync(file, "utf8");

/** Milliseconds of a local time, so that the expectation is the same in every time zone. */
const localMs = (...parts: [number, number, number, number, number, number, number]): number =>
  new Date(...parts).getTime();

describe("lines", () => {
  test("are <pid>:<role> <local time> <mark> <text>", () => {
    const log = logger(new ManualClock(localMs(2025, 0, 5, 7, 8, 9, 4)), { level: "debug" });
    log.debug("one");
    log.verbose("two");
    log.notice("three");
    log.setRole("S");
    log.warning("four");
    const stamp = "05 Jan 2025 07:08:09.004";
    expect(written()).toBe(`42:M ${stamp} . one\n42:M ${stamp} - two\n42:M ${stamp} * three\n42:S ${stamp} # four\n`);
  });

  test("follow the clock over minutes, years and steps back", () => {
    const clock = new ManualClock(localMs(2024, 11, 31, 23, 59, 59, 999));
    const log = logger(clock);
    log.notice("a");
    clock.advanceMs(1);
    log.notice("b");
    clock.setMs(localMs(2024, 1, 29, 12, 0, 0, 50));
    log.notice("c");
    const stamps = written()
      .split("\n")
      .map((line) => line.slice(5, 29));
    expect(stamps.slice(0, 3)).toEqual([
      "31 Dec 2024 23:59:59.999",
      "01 Jan 2025 00:00:00.000",
      "29 Feb 2024 12:00:00.050",
    ]);
  });

  test("in logfmt, with quotes and line ends made harmless", () => {
    const log = logger(new ManualClock(1234), { level: "debug" });
    log.setFormat("logfmt");
    log.setTimestampFormat("milliseconds");
    log.verbose('say "x"\r\ny');
    log.setRole("C");
    log.setPid(7);
    log.warning("z");
    expect(written()).toBe(
      `pid=42 role=primary timestamp="1234" level=info message="say 'x'  y"\n` +
        `pid=7 role=RDB/AOF timestamp="1234" level=warning message="z"\n`,
    );
  });

  test("with ISO 8601 stamps and the zone's offset", () => {
    const log = logger(new ManualClock(localMs(2025, 5, 7, 1, 2, 3, 40)));
    log.setTimestampFormat("iso8601");
    log.notice("x");
    const stamp = written().split(" ")[1]!;
    expect(stamp).toMatch(/^2025-06-07T01:02:03\.040[+-]\d\d:\d\d$/);
    expect(new Date(stamp).getTime()).toBe(localMs(2025, 5, 7, 1, 2, 3, 40));
  });

  test("in the zone that TZ names", () => {
    const script = `
      import { ManualClock } from ${JSON.stringify(join(import.meta.dir, "../../src/base/clock.ts"))};
      import { Logger } from ${JSON.stringify(join(import.meta.dir, "../../src/base/log.ts"))};
      const log = new Logger({ clock: new ManualClock(Date.UTC(2025, 6, 1, 12)), pid: 1 });
      log.notice("a"); log.setTimestampFormat("iso8601"); log.notice("b");`;
    const run = Bun.spawnSync([process.execPath, "-e", script], { env: { ...process.env, TZ: "Asia/Kolkata" } });
    expect(run.stdout.toString()).toBe("1:M 01 Jul 2025 17:30:00.000 * a\n1:M 2025-07-01T17:30:00.000+05:30 * b\n");
  });
});

describe("levels", () => {
  test("each writes itself and what is graver", () => {
    const marks = { debug: ".-*#", verbose: "-*#", notice: "*#", warning: "#", nothing: "" } as const;
    for (const [level, expected] of Object.entries(marks)) {
      const log = logger();
      writeFileSync(file, "");
      log.setLevel(level as keyof typeof marks);
      for (const name of ["debug", "verbose", "notice", "warning"] as const) {
        log.log(name, "x");
        expect(log.writes(name)).toBe(expected.includes({ debug: ".", verbose: "-", notice: "*", warning: "#" }[name]));
      }
      expect(written().replace(/.*([.\-*#]) x\n/g, "$1")).toBe(expected);
      expect(log.level).toBe(level as keyof typeof marks);
    }
  });

  test("raw text obeys the level and gets no stamp", () => {
    const log = logger();
    log.raw("verbose", "hidden\n");
    log.raw("notice", "  art PID: 1\n");
    expect(written()).toBe("  art PID: 1\n");
  });
});

describe("destinations", () => {
  test("repeated lines all appear, also when the clock steps back", () => {
    const clock = new ManualClock(5_000);
    const log = logger(clock);
    for (let i = 0; i < 50; i++) {
      clock.setMs(5_000 - i * 7);
      log.notice("same");
    }
    expect(written().match(/\* same\n/g)).toHaveLength(50);
  });

  test("a moved file is written anew, and lines are appended to what is there", () => {
    const log = logger();
    writeFileSync(file, "before\n");
    log.notice("one");
    renameSync(file, `${file}.1`);
    log.notice("two");
    expect(readFileSync(`${file}.1`, "utf8")).toMatch(/^before\n.* one\n$/);
    expect(written()).toMatch(/ two\n$/);
  });

  test("a file that cannot be opened is refused with the system's code, and the old one stays", () => {
    const log = logger();
    expect(log.setFile(join(dir, "missing", "x.log"))).toBe("ENOENT");
    expect(log.file).toBe(file);
    log.notice("still here");
    expect(written()).toContain("still here");
    expect(log.setFile("")).toBeNull();
    expect(log.file).toBe("");
  });

  test("the lines of a start are those of any other time, texts beyond ASCII included", () => {
    const log = logger(new ManualClock(localMs(2025, 0, 5, 7, 8, 9, 4)), { starting: true, level: "notice" });
    for (const text of ["start", "caf\u00e9 \u20ac"]) log.notice(text);
    log.verbose("too much");
    log.started();
    for (const text of ["start", "caf\u00e9 \u20ac"]) log.notice(text);
    const line = "42:M 05 Jan 2025 07:08:09.004 * ";
    expect(written()).toBe(`${line}start\n${line}caf\u00e9 \u20ac\n`.repeat(2));
  });

  test("standard output gets everything at once, a slow pipe included, and nothing is lost at exit", async () => {
    const script = `
      import { ManualClock } from ${JSON.stringify(join(import.meta.dir, "../../src/base/clock.ts"))};
      import { Logger } from ${JSON.stringify(join(import.meta.dir, "../../src/base/log.ts"))};
      const log = new Logger({ clock: new ManualClock(0), pid: 1 });
      for (let i = 0; i < 4000; i++) log.notice("line " + i + " " + "x".repeat(100));
      process.kill(process.pid, "SIGKILL");`;
    const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });
    await Bun.sleep(50);
    const lines = (await child.stdout.text()).split("\n");
    expect(lines.length).toBe(4001);
    expect(lines[3999]).toContain(" line 3999 ");
  });
});
