/**
 * Chance as a parameter: the one place where randomness comes from.
 *
 * {@link Prng} is xoshiro128** (Blackman and Vigna): four 32-bit words of state, fast, good enough for sampling keys
 * and members, and a function of its seed. It is not for secrets: {@link fillRandom} is.
 */

import { fillRandomly } from "./system-calls.ts";

const TWO_31 = 2147483648;
const TWO_32 = 4294967296;
const TWO_53 = 9007199254740992;

/** A seeded pseudo-random generator. Equal seeds give equal sequences. */
export class Prng {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** `seed` is any safe integer; all of its bits count. */
  constructor(seed: number) {
    const low = seed | 0;
    const high = Math.floor(seed / TWO_32) | 0;
    this.#a = scramble(low);
    this.#b = scramble(high ^ 0x6a09e667);
    this.#c = scramble(this.#a + high);
    this.#d = scramble(this.#b + low) | 1; // Never all zero: that state would repeat itself for ever.
  }

  /** Uniform in [0, 2^32). */
  uint32(): number {
    const product = Math.imul(this.#b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result >>> 0;
  }

  /** Uniform integer in [0, n), without bias, for an integer 1 <= n <= 2^53. */
  below(n: number): number {
    if (n > TWO_31) return this.#belowLarge(n);
    // As many bits as n - 1 has, drawn again where they are too many: cheaper than a remainder.
    const shift = Math.clz32(n - 1);
    if (shift === 32) return 0;
    let value = this.uint32() >>> shift;
    while (value >= n) value = this.uint32() >>> shift;
    return value;
  }

  #belowLarge(n: number): number {
    const limit = TWO_53 - (TWO_53 % n);
    let value = this.#uint53();
    while (value >= limit) value = this.#uint53();
    return value % n;
  }

  #uint53(): number {
    const high = this.uint32() >>> 11;
    return high * TWO_32 + this.uint32();
  }

  /** Uniform in [0, 1), with 53 random bits. */
  float(): number {
    return this.#uint53() / TWO_53;
  }

  /** Fills `dst[offset, offset + length)` with pseudo-random bytes. */
  fill(dst: Uint8Array, offset: number, length: number): void {
    for (let i = 0; i < length; i++) dst[offset + i] = this.uint32() >>> 24;
  }
}

/** A 32-bit finalizer (murmur3's constants) over a Weyl step: spreads near-equal seeds over the state space. */
function scramble(word: number): number {
  word = (word + 0x9e3779b9) | 0;
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return word ^ (word >>> 16);
}

/** An unpredictable safe, non-negative integer from the operating system, to seed a {@link Prng}. */
export function randomSeed(): number {
  const words = new Uint32Array(2);
  fillRandomly(new Uint8Array(words.buffer));
  return (words[0] >>> 11) * TWO_32 + words[1];
}

/** Fills `dst` with unpredictable bytes from the operating system: for identifiers and hash keys. */
export function fillRandom(dst: Uint8Array<ArrayBuffer>): void {
  const chunkMax = 256; // What one call gives for certain.
  for (let at = 0; at < dst.length; at += chunkMax) fillRandomly(dst.subarray(at, at + chunkMax));
}
