// HyperLogLog payloads against plain arrays of registers, and the hash against a computation with bigints.

import { expect, test } from "bun:test";
import { murmur, murmur64 } from "../../src/base/murmur.ts";
import { Prng } from "../../src/base/prng.ts";
import {
  countDense,
  DENSE_BYTES,
  denseRegister,
  estimate,
  mergeDense,
  packDense,
  REGISTER_COUNT,
  setDenseRegister,
} from "../../src/struct/hyperloglog/hyperloglog.ts";
import {
  countSparse,
  HllPayload,
  makeDense,
  mergeSparse,
  Raised,
  raiseRegister,
} from "../../src/struct/hyperloglog/hyperloglog-sparse.ts";
import { testSeed } from "../base/seeded.ts";

const WORD = (1n << 64n) - 1n;

/** MurmurHash64A as its definition says. */
function murmurOf(bytes: Uint8Array, seed: bigint): bigint {
  const m = 0xc6a4a7935bd1e995n;
  let h = seed ^ ((BigInt(bytes.length) * m) & WORD);
  const whole = bytes.length & ~7;
  const word = (from: number, to: number) => {
    let k = 0n;
    for (let i = to - 1; i >= from; i--) k = (k << 8n) | BigInt(bytes[i]!);
    return k;
  };
  for (let at = 0; at < whole; at += 8) {
    let k = (word(at, at + 8) * m) & WORD;
    k = ((k ^ (k >> 47n)) * m) & WORD;
    h = ((h ^ k) * m) & WORD;
  }
  if (whole < bytes.length) h = ((h ^ word(whole, bytes.length)) * m) & WORD;
  h = ((h ^ (h >> 47n)) * m) & WORD;
  return h ^ (h >> 47n);
}

test("the hash of every length", () => {
  const prng = new Prng(testSeed());
  for (let length = 0; length < 70; length++) {
    for (let round = 0; round < 20; round++) {
      const bytes = Uint8Array.from({ length }, () => (round === 0 ? 255 : prng.below(256)));
      murmur64(bytes, 0, length, 0xadc83b19);
      const hash = (BigInt(murmur.high >>> 0) << 32n) | BigInt(murmur.low >>> 0);
      expect(hash, `seed ${testSeed()}, length ${length}`).toBe(murmurOf(bytes, 0xadc83b19n));
    }
  }
});

test("dense registers", () => {
  const prng = new Prng(testSeed());
  const buf = new Uint8Array(DENSE_BYTES + 10).fill(170);
  const at = 5;
  const model = new Uint8Array(REGISTER_COUNT);
  for (let i = 0; i < REGISTER_COUNT; i++) setDenseRegister(buf, at, i, 0);
  for (let round = 0; round < 50_000; round++) {
    const i = round < 4 ? REGISTER_COUNT - 1 : prng.below(REGISTER_COUNT);
    model[i] = prng.below(64);
    setDenseRegister(buf, at, i, model[i]!);
  }
  const registers = Uint8Array.from(model, (_, i) => denseRegister(buf, at, i));
  expect(registers).toEqual(model);
  expect([...buf.subarray(0, at), ...buf.subarray(at + DENSE_BYTES)]).toEqual(new Array(10).fill(170));
  const merged = new Uint8Array(REGISTER_COUNT).fill(7);
  mergeDense(merged, buf, at);
  expect(merged).toEqual(model.map((value) => Math.max(value, 7)));
  const packed = buf.slice();
  packed.fill(0, at + 16, at + DENSE_BYTES);
  packDense(packed, at, model);
  expect(packed).toEqual(buf);
  const histogram = new Int32Array(64);
  countDense(histogram, buf, at);
  expect([...histogram]).toEqual(Array.from({ length: 64 }, (_, v) => model.filter((value) => value === v).length));
});

test("sparse payloads say what an array of registers says, until they become dense", () => {
  const seed = testSeed();
  const prng = new Prng(seed);
  for (let round = 0; round < 25; round++) {
    const payload = new HllPayload();
    payload.clear();
    const model = new Uint8Array(REGISTER_COUNT);
    const sparseMax = prng.below(4) === 0 ? 60 : 3000;
    // Few neighbours, so that opcodes split and merge.
    const spread = [8, 200, REGISTER_COUNT][prng.below(3)]!;
    const runMax = [2, 6, prng.below(5) === 0 ? 40 : 32][prng.below(3)]!;
    for (let step = 0; step < 600; step++) {
      const register = prng.below(10) === 0 ? REGISTER_COUNT - 1 - prng.below(spread) : prng.below(spread);
      const run = 1 + prng.below(runMax);
      const raised = raiseRegister(payload, register, run, sparseMax);
      expect(raised, `seed ${seed}`).toBe(run > model[register]! ? Raised.Yes : Raised.No);
      if (raised === Raised.Yes) model[register] = run;
      if (!payload.isDense) expect(payload.length).toBeLessThanOrEqual(sparseMax);
      if (step % 50 !== 0) continue;
      const registers = new Uint8Array(REGISTER_COUNT);
      if (payload.isDense) mergeDense(registers, payload.bytes, 0);
      else expect(mergeSparse(registers, payload.bytes, 0, payload.length), `seed ${seed}`).toBe(true);
      expect(registers, `seed ${seed}`).toEqual(model);
    }
    const histogram = new Int32Array(64);
    const dense = new Int32Array(64);
    if (!payload.isDense) {
      expect(countSparse(histogram, payload.bytes, 0, payload.length)).toBe(true);
      expect(makeDense(payload)).toBe(true);
      countDense(dense, payload.bytes, 0);
      expect(dense).toEqual(histogram);
    }
  }
});

test("estimates", () => {
  const histogram = new Int32Array(64);
  histogram[0] = REGISTER_COUNT;
  expect(estimate(histogram)).toBe(0);
  histogram[0]--;
  histogram[3]++;
  expect(estimate(histogram)).toBe(1);
});
