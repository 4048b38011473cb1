// Random tests that are a function of their seed. The seed is fixed, so that a run can be repeated; set
// REDIS_TS_TEST_SEED to another one to explore. A failure names the seed.

import { test } from "bun:test";
import { Prng } from "../../src/base/prng.ts";

const DEFAULT_SEED = 20240229;

/** The seed of this run. */
export function testSeed(): number {
  const given = process.env.REDIS_TS_TEST_SEED;
  const seed = given === undefined ? DEFAULT_SEED : Number(given);
  if (!Number.isSafeInteger(seed)) throw new Error(`REDIS_TS_TEST_SEED is not an integer: ${given}`);
  return seed;
}

/** A test whose body draws from a generator with the seed of this run. */
export function seededTest(name: string, body: (random: Prng) => void | Promise<void>, timeoutMs?: number): void {
  const run = async (): Promise<void> => {
    const seed = testSeed();
    try {
      await body(new Prng(seed));
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  };
  test(name, run, timeoutMs);
}

/** Bytes of a text, one character (0..255) a byte. */
export function bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "latin1"));
}

/** The same bytes inside a larger array with other bytes around them, to catch reads beyond the range. */
export function embed(content: Uint8Array, before: number, filler: number): Uint8Array {
  const outer = new Uint8Array(before + content.length + 8).fill(filler);
  outer.set(content, before);
  return outer;
}

/** A text of random characters from an alphabet, at most `lengthMax` of them. */
export function randomText(random: Prng, alphabet: string, lengthMax: number): string {
  let text = "";
  for (let left = random.below(lengthMax + 1); left > 0; left--) text += alphabet[random.below(alphabet.length)];
  return text;
}
