// What random commands are drawn from: a seeded generator with a vocabulary of keys, values and numbers that hit edges often.
// Strings stand for bytes, one character (0..255) a byte.

import type { Prng } from "../../src/base/prng.ts";

/** Few keys, so that commands meet each other's results; one is binary, one empty, one longer than any small buffer. */
export const KEYS: readonly string[] = ["a", "b", "c", "key:4", "\x00\xff\r\n", "", "k".repeat(300)];

/** Integers at the edges of types and parsers. None is a small positive number, so that none makes a short time to live. */
export const EDGE_INTEGERS: readonly string[] = [
  "0",
  "-1",
  "-2",
  "2147483647",
  "2147483648",
  "-2147483648",
  "4294967295",
  "4294967296",
  "9007199254740991",
  "9007199254740992",
  "9007199254740993",
  "-9007199254740993",
  "9223372036854775",
  "9223372036854776",
  "9223372036854775806",
  "9223372036854775807",
  "9223372036854775808",
  "-9223372036854775807",
  "-9223372036854775808",
  "-9223372036854775809",
  "18446744073709551616",
];

/** What is no number, or not in the canonical form of one. */
export const JUNK: readonly string[] = [
  "",
  " ",
  "abc",
  "1.5",
  " 1",
  "1 ",
  "01",
  "-0",
  "+1",
  "1e3",
  "\x00",
  "nan",
  "--1",
];

/** Numbers as strtold reads them, many of them awkward. */
export const FLOATS: readonly string[] = [
  "0",
  "-0",
  "1",
  "-1",
  "0.1",
  "0.25",
  "-2.50",
  "3.0e2",
  "1e-3",
  "+7",
  ".5",
  "5.",
  "123456789.123456789",
  "-99999999999999999.5",
  "3.141592653589793238462643",
  "1e17",
  "1e19",
  "9007199254740993",
  "9223372036854775807",
  "1e300",
  "-1e300",
  "1e-30",
  "5e-4940",
  "1e4931",
  "1e5000",
  "0x1p3",
  "0x1.8",
  "inf",
  "-inf",
  "Infinity",
  "nan",
  "1e",
  "e5",
  ".",
  "1,5",
  "1 ",
  " 1",
];

/** Draws things; a function of its generator alone. */
export class Draw {
  readonly prng: Prng;

  constructor(prng: Prng) {
    this.prng = prng;
  }

  /** An integer in [0, n). */
  below(n: number): number {
    return this.prng.below(n);
  }

  /** An integer in [min, max]. */
  between(min: number, max: number): number {
    return min + this.prng.below(max - min + 1);
  }

  /** True in `percent` of all cases. */
  chance(percent: number): boolean {
    return this.prng.below(100) < percent;
  }

  /** One of the items. */
  pick<T>(items: readonly T[]): T {
    return items[this.prng.below(items.length)]!;
  }

  /** One of the makers, by weight, called. */
  weighted<T>(makers: readonly (readonly [weight: number, make: () => T])[]): T {
    let left = this.prng.below(makers.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, make] of makers) {
      if (left < weight) return make();
      left -= weight;
    }
    throw new Error("weights do not add up");
  }

  /** `count` times the same maker. */
  times<T>(count: number, make: () => T): T[] {
    return Array.from({ length: count }, make);
  }

  /** A key of KEYS, the plain ones more often. */
  key(): string {
    return this.chance(70) ? KEYS[this.below(4)]! : this.pick(KEYS);
  }

  /** A token in random letter case. */
  token(word: string): string {
    return this.weighted([
      [5, () => word],
      [3, () => word.toLowerCase()],
      [1, () => [...word].map((c) => (this.chance(50) ? c.toLowerCase() : c)).join("")],
    ]);
  }

  /** An integer argument: mostly small, sometimes at an edge, seldom no integer at all. */
  integer(): string {
    return this.weighted([
      [6, () => String(this.between(-20, 20))],
      [3, () => this.pick(EDGE_INTEGERS)],
      [1, () => this.pick(JUNK)],
    ]);
  }

  /** A floating-point argument. */
  float(): string {
    return this.weighted([
      [4, () => this.pick(FLOATS)],
      [3, () => (this.between(-100_000, 100_000) / 10 ** this.below(6)).toString()],
      [2, () => this.integer()],
    ]);
  }

  /** Bytes of a random length up to `lengthMax`, from a small alphabet or from all bytes. */
  bytes(lengthMax: number): string {
    const size = this.chance(70) ? 3 : 256;
    const first = size === 3 ? 97 : 0;
    return String.fromCharCode(...this.times(this.below(lengthMax + 1), () => first + this.below(size)));
  }

  /** A value: a number, text around the limits of the encodings, or bytes. */
  value(): string {
    return this.weighted([
      [3, () => this.integer()],
      [2, () => this.float()],
      [3, () => this.bytes(12)],
      [2, () => "x".repeat(this.pick([43, 44, 45, 63, 64, 127, 128, 500]))],
      [1, () => this.bytes(3000)],
    ]);
  }
}

/** Spoils a command: an argument is lost, doubled, or replaced by junk. The name stays. */
export function spoil(draw: Draw, args: readonly string[]): string[] {
  const spoilt = [...args];
  const at = draw.between(1, Math.max(1, args.length - 1));
  const filler = draw.pick(draw.chance(70) ? JUNK : EDGE_INTEGERS);
  draw.weighted<unknown>([
    [2, () => spoilt.splice(at, 1)],
    [2, () => spoilt.splice(at, 0, spoilt[at] ?? filler)],
    [4, () => spoilt.splice(at, 1, filler)],
    [1, () => spoilt.push(filler)],
  ]);
  return spoilt;
}
