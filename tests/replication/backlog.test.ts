// The backlog against an array: cursors get the stream whole and in order, and what nobody needs goes.
import { expect, test } from "bun:test";
import { Prng } from "../../src/base/prng.ts";
import { BACKLOG_BYTES_MIN, Backlog, type BacklogCursor } from "../../src/replication/backlog.ts";
import { testSeed } from "../base/seeded.ts";

const LARGEST_BLOCK = 64 * 1024;
const STEPS = 300;
const LARGEST_APPEND = 100_000;
const STREAM_BYTES = STEPS * LARGEST_APPEND;

/** A replica of the test: what it has been sent must be the stream from `from` on. */
interface Reader {
  readonly cursor: BacklogCursor;
  from: number;
}

/** Takes some of what waits, piece by piece. */
function read({ cursor }: Reader, mostBytes: number): Buffer {
  const pieces: Uint8Array[] = [];
  let left = mostBytes;
  while (cursor.length > 0 && left > 0) {
    const { bytes, at, end } = cursor;
    if (end <= at) throw new Error("an empty piece");
    const length = Math.min(end - at, left);
    pieces.push(bytes.slice(at, at + length));
    cursor.consume(length);
    left -= length;
  }
  return Buffer.concat(pieces);
}

test("random appends, cursors and limits equal an array", () => {
  const seed = testSeed();
  const prng = new Prng(seed);
  const below = (n: number) => (n === 0 ? 0 : prng.below(n));
  const start = below(1000);
  const backlog = new Backlog(BACKLOG_BYTES_MIN, start);
  /** all[0, size) is the stream. */
  const all = new Uint8Array(STREAM_BYTES);
  prng.fill(all, 0, STREAM_BYTES);
  let size = 0;
  const readers: Reader[] = [];
  for (let step = 0; step < STEPS; step++) {
    const note = `seed ${seed} step ${step}`;
    const length = below(8) === 0 ? below(LARGEST_APPEND) : below(3000);
    backlog.append(all, size, length);
    size += length;
    if (below(10) === 0) backlog.resize(below(1_500_000));
    if (readers.length < 4 && below(4) === 0) {
      const from = backlog.first + below(backlog.length + 1);
      readers.push({ cursor: backlog.cursor(from), from });
    }
    for (const reader of readers) {
      if (below(3) === 0) continue;
      const got = read(reader, below(2) === 0 ? 1e9 : below(5000));
      const at = reader.from - 1 - start;
      expect(Buffer.compare(got, all.subarray(at, at + got.length)), note).toBe(0);
      reader.from += got.length;
      expect(reader.cursor.length, note).toBe(backlog.end + 1 - reader.from);
    }
    if (readers.length > 0 && below(12) === 0) readers.splice(below(readers.length), 1)[0].cursor.close();
    expect(backlog.end, note).toBe(start + size);
    expect(backlog.first + backlog.length, note).toBe(backlog.end + 1);
    expect(backlog.length >= Math.min(BACKLOG_BYTES_MIN, size), note).toBe(true);
    for (const { from } of readers) expect(backlog.reaches(from), note).toBe(true);
    expect(backlog.reaches(backlog.first - 1), note).toBe(false);
    expect(backlog.reaches(backlog.end + 1), note).toBe(true);
    expect(backlog.reaches(backlog.end + 2), note).toBe(false);
  }
});

test("without slow readers hardly more is kept than the limit", () => {
  for (const limit of [BACKLOG_BYTES_MIN, 1024 * 1024]) {
    const backlog = new Backlog(limit, 0);
    const reader = backlog.cursor(1);
    const bytes = new Uint8Array(1000);
    const most = limit + Math.min(LARGEST_BLOCK, Math.max(limit / 16, BACKLOG_BYTES_MIN));
    for (let i = 0; i < 5000; i++) {
      backlog.append(bytes, 0, bytes.length);
      while (reader.length > 0) {
        const { at, end, bytes: piece } = reader;
        expect(piece.length).toBeLessThanOrEqual(LARGEST_BLOCK);
        reader.consume(end - at);
      }
      expect(backlog.length).toBeLessThanOrEqual(most);
    }
    expect(backlog.length).toBeGreaterThanOrEqual(limit);
    expect(backlog.excessBytes).toBeLessThan(most);
    expect(backlog.reaches(backlog.end + 1 - most)).toBe(false);
  }
});

test("a slow reader keeps what it needs, for others too; then it goes", () => {
  const backlog = new Backlog(BACKLOG_BYTES_MIN, 0);
  const slow = [backlog.cursor(1), backlog.cursor(1)];
  const bytes = new Uint8Array(10_000);
  for (let i = 0; i < 1000; i++) backlog.append(bytes, 0, bytes.length);
  expect(backlog.length).toBe(10_000_000);
  // One memory for both.
  expect(backlog.memoryBytes).toBeLessThan(10_300_000);
  expect(slow[0].memoryBytes).toBeGreaterThanOrEqual(10_000_000);
  expect(slow[0].blockCount).toBe(Math.ceil(10_000_000 / 16384));
  expect(backlog.reaches(1)).toBe(true);
  slow[0].close();
  expect(backlog.length).toBe(10_000_000);
  slow[1].close();
  expect(backlog.length).toBeLessThan(3 * BACKLOG_BYTES_MIN);
  expect(slow[1].memoryBytes).toBe(0);
});

test("without any reader no more than a block is kept beyond the limit, at every point of the stream", () => {
  for (const offset of [0, 5000]) {
    const backlog = new Backlog(BACKLOG_BYTES_MIN, 0);
    backlog.append(new Uint8Array(100), 0, 100);
    backlog.rebase(offset);
    for (let i = 0; i < 3000; i++) {
      backlog.append(new Uint8Array(37), 0, 37);
      expect(backlog.length).toBeLessThanOrEqual(2 * BACKLOG_BYTES_MIN);
    }
    expect(backlog.length).toBeGreaterThanOrEqual(BACKLOG_BYTES_MIN);
  }
});

test("numbers of bytes move together", () => {
  const backlog = new Backlog(BACKLOG_BYTES_MIN, 0);
  backlog.append(new Uint8Array(100), 0, 100);
  backlog.rebase(5000);
  expect([backlog.first, backlog.end, backlog.length]).toEqual([5001, 5100, 100]);
  expect(backlog.cursor(5050).length).toBe(51);
});
