// Local time from zone files, compared with the zone database of the runtime at random times in many zones.

import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Prng } from "../../src/base/prng.ts";
import { parseZoneFile, TimeZone } from "../../src/base/time-zone.ts";

const ZONES = [
  "UTC",
  "Asia/Kolkata",
  "Asia/Tokyo",
  "Europe/Berlin",
  "America/New_York",
  "America/Sao_Paulo",
  "Australia/Lord_Howe",
];

/** Offset that the runtime's own database gives. */
function expectedEastMs(zone: string, nowMs: number): number {
  const parts = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" }).formatToParts(nowMs);
  const name = parts.find((part) => part.type === "timeZoneName")!.value;
  const match = /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(name)!;
  const ms = (Number(match[2] ?? 0) * 3600 + Number(match[3] ?? 0) * 60 + Number(match[4] ?? 0)) * 1000;
  return match[1] === "-" ? -ms : ms;
}

describe("zone files", () => {
  for (const zone of ZONES) {
    const path = `/usr/share/zoneinfo/${zone}`;
    test.skipIf(!existsSync(path))(`${zone} agrees with the runtime wherever it answers`, () => {
      const seed = 1 + Math.floor(Math.random() * 1e9);
      const random = new Prng(seed);
      const find = parseZoneFile(readFileSync(path));
      let answers = 0;
      for (let i = 0; i < 300; i++) {
        const nowMs = Date.UTC(1975, 0, 1) + random.below(80 * 365) * 86_400_000 + random.below(86_400_000);
        const found = find(nowMs);
        if (found === null) continue;
        answers++;
        if (found !== expectedEastMs(zone, nowMs)) throw new Error(`seed ${seed}: ${zone} at ${nowMs} gives ${found}`);
      }
      expect(answers).toBeGreaterThan(50);
    });
  }

  test("bytes that are no zone file know nothing, whatever they are", () => {
    const sample = existsSync("/usr/share/zoneinfo/Europe/Berlin")
      ? readFileSync("/usr/share/zoneinfo/Europe/Berlin")
      : Buffer.from("TZif2");
    for (let length = 0; length < sample.length - 40; length += 7)
      expect(parseZoneFile(sample.subarray(0, length))(1e12)).toBeNull();
    expect(parseZoneFile(new Uint8Array(200))(0)).toBeNull();
  });
});

describe("the TZ variable", () => {
  test("may be empty, a rule without summer time, or a file", () => {
    expect(new TimeZone("").eastMs(1e12)).toBe(0);
    expect(new TimeZone("UTC0").eastMs(1e12)).toBe(0);
    expect(new TimeZone("XST-5:30").eastMs(1e12)).toBe(5.5 * 3_600_000);
    expect(new TimeZone("<-03>3").eastMs(1e12)).toBe(-3 * 3_600_000);
    expect(new TimeZone(":NoSuch/Zone").eastMs(1e12)).toBe((0 - new Date(1e12).getTimezoneOffset()) * 60_000);
  });

  test("not set means the system's zone, which is what the runtime says", () => {
    const script = `
      import { TimeZone } from ${JSON.stringify(join(import.meta.dir, "../../src/base/time-zone.ts"))};
      const nowMs = Date.now();
      process.stdout.write([new TimeZone(process.env.TZ).eastMs(nowMs), -new Date(nowMs).getTimezoneOffset() * 60_000 + 0].join(" "));`;
    const { TZ: _, ...env } = process.env;
    const [found, expected] = Bun.spawnSync([process.execPath, "-e", script], { env }).stdout.toString().split(" ");
    expect(found).toMatch(/^-?\d+$/);
    expect(found).toBe(expected!);
  });
});
