// Advice to the system about memory: what Linux shows of it in /proc. Other systems take none.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { SystemMemory } from "../../src/base/os-memory.ts";

const MIB = 1 << 20;

/** Flags of all mappings of at least `bytes`, as the kernel abbreviates them. */
function flagsOfMappings(bytes: number): string[] {
  const mappings = readFileSync("/proc/self/smaps", "latin1").split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  const large = mappings.filter((text) => Number(/^Size: +(\d+) kB/m.exec(text)?.[1]) * 1024 >= bytes);
  return large.map((text) => /^VmFlags: (.*)$/m.exec(text)?.[1] ?? "");
}

test("memory that is purged reads as zeros, and pages that are to be small are not made huge", () => {
  const memory = new SystemMemory();
  const bytes = new Uint8Array(1024 * MIB);
  bytes.fill(7, 0, 4 * MIB);
  const purged = memory.purge(bytes, MIB, 2 * MIB);
  expect(purged).toBe(process.platform === "linux");
  if (purged) {
    expect(bytes.subarray(0, 4 * MIB).filter((byte) => byte === 7).length).toBe(2 * MIB);
    const before = flagsOfMappings(1000 * MIB).filter((flags) => / nh\b/.test(flags)).length;
    memory.keepPagesSmall(bytes, 0, bytes.length);
    expect(flagsOfMappings(1000 * MIB).filter((flags) => / nh\b/.test(flags)).length).toBe(before + 1);
  }
});
