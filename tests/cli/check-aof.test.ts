// check-aof, beside the redis-check-aof of redis-server where there is one: the same words and the same status for the same files.

import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeCommand } from "../support/client.ts";
import { describeTool } from "../support/oracle.ts";
import { serverCommand } from "../support/server.ts";

const folder = mkdtempSync(join(tmpdir(), "check-aof-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const single = join(folder, "appendonly.aof");
const parts = join(folder, "parts");
const manifest = join(parts, "appendonly.aof.manifest");

interface Outcome {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

async function run(command: readonly string[], args: readonly string[], input = ""): Promise<Outcome> {
  const child = Bun.spawn([...command, ...args], { stdin: new Blob([input]), stdout: "pipe", stderr: "pipe" });
  const [out, err, status] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { status, out, err };
}

const check = (args: readonly string[], input = "") => run([...serverCommand(), "check-aof"], args, input);

function file(...commands: string[]): string {
  return commands
    .map((line) => (/^[#!]/.test(line) ? line : encodeCommand(line.split(" ")).toString("latin1")))
    .join("");
}

function writeParts(base: string, increment: string, text?: string): void {
  rmSync(parts, { recursive: true, force: true });
  mkdirSync(parts);
  writeFileSync(join(parts, "appendonly.aof.1.base.aof"), base);
  writeFileSync(join(parts, "appendonly.aof.1.incr.aof"), increment);
  writeFileSync(
    manifest,
    text ?? "file appendonly.aof.1.base.aof seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n",
  );
}

beforeEach(() => writeParts(file("SET a 1"), file("SET b 2")));

/** Contents of a file that are good, or are not, each for its own reason. */
const CONTENTS: readonly [string, string][] = [
  ["good", file("SET foo hello", "MULTI", "SET bar world", "EXEC")],
  ["empty", ""],
  ["annotations", file("#TS:1628217470\r\n", "SET a 1", "#TS:1628217471\r\n")],
  ["cut off in a value", file("SET foo hello").slice(0, -4)],
  ["cut off in a line end", file("SET foo hello").slice(0, -1)],
  ["cut off in a length", file("SET foo hello", "SET").slice(0, -6)],
  ["junk", file("SET foo hello", "!!!")],
  ["a wrong prefix", `${file("SET foo hello")}*1\r\n:5\r\n`],
  ["no number", `${file("SET foo hello")}*x\r\n`],
  ["no line end behind a number", `${file("SET foo hello")}*1 \r\n`],
  ["a negative length", `${file("SET foo hello")}*1\r\n$-5\r\n`],
  ["a length that is too small", `${file("SET foo hello")}*1\r\n$2\r\nPING\r\n`],
  ["a length that is too large", `${file("SET foo hello")}*1\r\n$2000\r\nPING\r\n`],
  ["MULTI without EXEC", file("SET a 1", "MULTI", "SET b 2")],
  ["MULTI in MULTI", file("SET a 1", "MULTI", "MULTI", "EXEC")],
  ["EXEC without MULTI", file("SET a 1", "EXEC", "SET b 1")],
];

describe("a single file", () => {
  test("that is good", async () => {
    writeFileSync(single, file("SET foo hello"));
    expect(await check([single])).toEqual({
      status: 0,
      err: "",
      out: `Start checking Old-Style AOF\nAOF analyzed: filename=${single}, size=33, ok_up_to=33, ok_up_to_line=8, diff=0\nAOF ${single} is valid\n`,
    });
  });

  test("that is not: where it goes wrong, and what can be done", async () => {
    writeFileSync(single, file("SET foo hello", "!!!"));
    const { status, out } = await check([single]);
    expect(status).toBe(1);
    expect(out).toContain(`AOF ${single} format error\n`);
    expect(out).toContain("size=36, ok_up_to=33, ok_up_to_line=8, diff=3");
    expect(out).toEndWith("is not valid. Use the --fix option to try fixing it.\n");
  });

  test("is repaired after a yes, and only then", async () => {
    const damaged = file("SET foo hello", "MULTI", "SET bar world");
    writeFileSync(single, damaged);
    const refused = await check(["--fix", single], "n\n");
    expect(refused.status).toBe(1);
    expect(refused.out).toEndWith("Continue? [y/N]: Aborting...\n");
    expect(readFileSync(single, "latin1")).toBe(damaged);
    expect((await check(["--fix", single], "")).status).toBe(1);
    const done = await check(["--fix", single], "y\n");
    expect(done.status).toBe(0);
    expect(done.out).toContain(
      `This will shrink the AOF ${single} from ${damaged.length} bytes, with 48 bytes, to 33 bytes`,
    );
    expect(done.out).toEndWith(`Successfully truncated AOF ${single}\n`);
    expect(readFileSync(single, "latin1")).toBe(file("SET foo hello"));
  });

  test("that is missing", async () => {
    const { status, out } = await check([join(folder, "nothing")]);
    expect(status).toBe(1);
    expect(out).toBe(`Cannot open file ${join(folder, "nothing")}: No such file or directory\n`);
  });

  test("that is a folder", async () => {
    expect(await check([folder])).toEqual({ status: 1, err: "", out: `Cannot read file: ${folder}\n` });
  });
});

describe("all files of a manifest", () => {
  test("good ones", async () => {
    const { status, out } = await check([manifest]);
    expect(status).toBe(0);
    expect(out).toMatch(
      /^Start checking Multi Part AOF\nStart to check BASE AOF \(RESP format\)\.\n[^\n]+\nBASE AOF \S+ is valid\nStart to check INCR files\.\n[^\n]+\nINCR AOF \S+ is valid\nAll AOF files and manifest are valid\n$/,
    );
  });

  test("only the last one is repaired", async () => {
    writeParts(file("SET a 1", "MULTI"), file("SET b 2"));
    const { status, out } = await check(["--fix", manifest], "y\n");
    expect(status).toBe(1);
    expect(out).toEndWith("Failed to truncate AOF appendonly.aof.1.base.aof because it is not the last file\n");
    writeParts(file("SET a 1"), file("SET b 2", "MULTI"));
    expect((await check(["--fix", manifest], "y\n")).out).toContain(
      "Successfully truncated AOF appendonly.aof.1.incr.aof\nAll AOF files and manifest are valid\n",
    );
    expect(readFileSync(join(parts, "appendonly.aof.1.incr.aof"), "latin1")).toBe(file("SET b 2"));
  });

  test("a manifest that is no good", async () => {
    writeParts("", "", "file x seq 1 type i\n!!!\n");
    const { status, out } = await check([manifest]);
    expect(status).toBe(1);
    expect(out).toContain(">>> '!!!'");
    expect(out).toContain("Invalid AOF manifest file format");
  });

  test("a file that is missing", async () => {
    rmSync(join(parts, "appendonly.aof.1.incr.aof"));
    const { status, out } = await check([manifest]);
    expect(status).toBe(1);
    expect(out).toContain("appendonly.aof.1.incr.aof: No such file or directory, aborting...");
  });
});

describe("back to a time", () => {
  const stamped = file("#TS:10\r\n", "SET a 1", "#TS:20\r\n", "SET b 2", "#TS:30\r\n");

  test("what is later goes", async () => {
    writeParts(file("#TS:5\r\n", "SET z 1"), stamped);
    const { status, out } = await check(["--truncate-to-timestamp", "15", manifest]);
    expect(status).toBe(0);
    expect(out).toContain("Truncate nothing in AOF appendonly.aof.1.base.aof to timestamp 15\n");
    expect(out).toContain("Successfully truncated AOF appendonly.aof.1.incr.aof to timestamp 15\n");
    expect(readFileSync(join(parts, "appendonly.aof.1.incr.aof"), "latin1")).toBe(file("#TS:10\r\n", "SET a 1"));
  });

  test("not when that would leave nothing, or a hole", async () => {
    writeParts(file("SET z 1"), stamped);
    expect((await check(["--truncate-to-timestamp", "9", manifest])).out).toContain(
      "has nothing before timestamp 9, aborting...\n",
    );
    writeParts(stamped, file("SET z 1"));
    const { status, out } = await check(["--truncate-to-timestamp", "15", manifest]);
    expect(status).toBe(1);
    expect(out).toMatch(/Failed to truncate AOF \S+ to timestamp 15 to offset \d+ because it is not the last file\./);
    expect(readFileSync(join(parts, "appendonly.aof.1.base.aof"), "latin1")).toBe(stamped);
  });

  test("a time that is none", async () => {
    expect((await check(["--truncate-to-timestamp", "soon", manifest])).out).toBe("Invalid timestamp, aborting...\n");
  });
});

test("usage and version", async () => {
  const usage = "Usage: redis-ts check-aof [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>\n";
  for (const args of [[], ["--fix", "a", "b", "c"], ["--nothing", "x"]]) {
    expect(await check(args)).toEqual({ status: 1, err: "", out: usage });
  }
  for (const question of ["-h", "--help"]) expect(await check([question])).toEqual({ status: 0, err: "", out: usage });
  expect((await check(["-v"])).out).toStartWith("redis-ts check-aof ");
});

describeTool("redis-check-aof", () => {
  /** It counts the lines of all files together, which helps nobody. */
  const lineless = (outcome: Outcome) => ({ ...outcome, out: outcome.out.replace(/ok_up_to_line=\d+/g, "") });

  for (const [name, content] of CONTENTS) {
    test(`says the same of: ${name}`, async () => {
      writeFileSync(single, content);
      expect(await check([single])).toEqual(await run(["redis-check-aof"], [single]));
    });
  }

  test("says the same of files of a manifest", async () => {
    for (const increment of ["", file("SET a 1"), file("SET a 1", "MULTI", "SET b 1")]) {
      writeParts(file("SET a 1"), increment);
      expect(lineless(await check([manifest]))).toEqual(lineless(await run(["redis-check-aof"], [manifest])));
    }
  });
});

test("words of a manifest in commands make no manifest", async () => {
  writeFileSync(single, file("set file file", "set x file"));
  expect((await check([single])).out).toStartWith("Start checking Old-Style AOF\n");
});
