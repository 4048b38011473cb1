// The backlog against an array: what it hands out is the end of everything that was appended.
import { expect, test } from "bun:test";
import { Prng } from "../../src/base/prng.ts";
import { BACKLOG_BYTES_MIN, Backlog } from "../../src/replication/backlog.ts";

function readAll(backlog: Backlog, from: number): number[] {
  const out: number[] = [];
  backlog.read(from, (bytes, at, length) => out.push(...bytes.slice(at, at + length)));
  return out;
}

test("random appends, reads and resizes equal an array", () => {
  for (let seed = 1; seed <= 2; seed++) {
    const prng = new Prng(seed);
    const below = (n: number) => (n === 0 ? 0 : prng.below(n));
    const start = below(1000);
    const backlog = new Backlog(BACKLOG_BYTES_MIN, start);
    const all: number[] = [];
    for (let step = 0; step < 40; step++) {
      const length = below(4) === 0 ? below(20_000) : below(3000);
      const bytes = Uint8Array.from({ length: length + 7 }, () => below(256));
      backlog.append(bytes, 5, length);
      for (let i = 5; i < 5 + length; i++) all.push(bytes[i]);
      if (below(10) === 0) backlog.resize(below(60_000));
      const note = `seed ${seed} step ${step}`;
      expect(backlog.end, note).toBe(start + all.length);
      expect(backlog.length <= backlog.capacity, note).toBe(true);
      expect(backlog.reaches(backlog.first - 1), note).toBe(false);
      expect(backlog.reaches(backlog.end + 1), note).toBe(true);
      expect(backlog.reaches(backlog.end + 2), note).toBe(false);
      const from = backlog.first + below(backlog.length + 1);
      expect(Buffer.compare(Buffer.from(readAll(backlog, from)), Buffer.from(all.slice(from - 1 - start))), note).toBe(
        0,
      );
    }
  }
});
