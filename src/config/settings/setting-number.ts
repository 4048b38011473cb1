/**
 * Numeric setting types. The raw value is the 64-bit pattern as a signed bigint, like the C variable it mirrors; the view is
 * a number, exact to 2^53 (beyond that rounded: nobody has that much memory, but CONFIG GET must give back every digit).
 */
import { formatMemory, parseInteger, parseMemory, parseOctal } from "../number-text.ts";
import type { Personality } from "../personality.ts";
import { type Initial, initialFor, Refusal, type RewriteLine, type SettingType } from "./setting.ts";

/** Bounds of the C types that Redis keeps its numbers in. They show in error messages. */
export const INT_MIN = -(2n ** 31n);
export const INT_MAX = 2n ** 31n - 1n;
export const UINT_MAX = 2n ** 32n - 1n;
export const LONG_MAX = 2n ** 63n - 1n;
export const ULONG_MAX = 2n ** 64n - 1n;

/** How a number is spelled. */
interface Spelling {
  readonly parse: (text: string) => bigint | null;
  /** What parse() wants, for the refusal. */
  readonly complaint: string;
  readonly format: (raw: bigint) => string;
  /** The spelling of config files. */
  readonly rewrite: (raw: bigint) => string;
  readonly formatBound: (bound: bigint) => string;
}

const decimal = (value: bigint): string => value.toString();
const unsignedDecimal = (raw: bigint): string => BigInt.asUintN(64, raw).toString();
const octalDigits = (value: bigint): string => value.toString(8);

const PLAIN: Spelling = {
  parse: parseInteger,
  complaint: "argument couldn't be parsed into an integer",
  format: decimal,
  rewrite: decimal,
  formatBound: decimal,
};

const OCTAL: Spelling = {
  parse: parseOctal,
  complaint: "argument couldn't be parsed as an octal number",
  format: octalDigits,
  rewrite: octalDigits,
  formatBound: octalDigits,
};

const MEMORY: Spelling = {
  parse: parseMemory,
  complaint: "argument must be a memory value",
  format: unsignedDecimal,
  rewrite: (raw) => formatMemory(BigInt.asUintN(64, raw)),
  formatBound: decimal,
};

/** A percentage is kept as a negative number. */
const MEMORY_OR_PERCENT: Spelling = {
  parse: (text) => {
    const bytes = parseMemory(text);
    if (bytes !== null) return bytes;
    const percent = text.endsWith("%") ? parseInteger(text.slice(0, -1)) : null;
    return percent !== null && percent >= 0n ? -percent : null;
  },
  complaint: "argument must be a memory or percent value",
  format: (raw) => (raw < 0n ? `${-raw}%` : raw.toString()),
  rewrite: (raw) => (raw < 0n ? `${-raw}%` : formatMemory(raw)),
  formatBound: decimal,
};

interface NumberOptions {
  readonly spelling: Spelling;
  readonly min: bigint;
  readonly max: bigint;
  readonly unsigned: boolean;
  /** Negative values are percentages, down to `min`. */
  readonly percent?: boolean;
  /** Values within the bounds but outside of this range are silently moved into it. */
  readonly clamp?: readonly [bigint, bigint];
}

function checkBounds(raw: bigint, options: NumberOptions): Refusal | null {
  const { min, max, spelling } = options;
  if (options.percent && raw < 0n) {
    return raw < min ? new Refusal(`percentage argument must be less or equal to ${-min}`) : null;
  }
  const value = options.unsigned ? BigInt.asUintN(64, raw) : raw;
  if (value >= min && value <= max) return null;
  return new Refusal(
    `argument must be between ${spelling.formatBound(min)} and ${spelling.formatBound(max)} inclusive`,
  );
}

class NumberType implements SettingType<bigint, number> {
  readonly multiple = false;
  readonly #initial: Initial<number>;
  readonly #options: NumberOptions;

  constructor(initial: Initial<number>, options: NumberOptions) {
    this.#initial = initial;
    this.#options = options;
  }

  initial(personality: Personality): bigint {
    return BigInt(initialFor(this.#initial, personality));
  }

  parse(args: readonly string[]): bigint | Refusal {
    const { spelling, clamp } = this.#options;
    const parsed = spelling.parse(args[0]);
    if (parsed === null) return new Refusal(spelling.complaint);
    const raw = BigInt.asIntN(64, parsed);
    const refusal = checkBounds(raw, this.#options);
    if (refusal !== null) return refusal;
    if (clamp === undefined) return raw;
    return raw < clamp[0] ? clamp[0] : raw > clamp[1] ? clamp[1] : raw;
  }

  format(raw: bigint): string {
    return this.#options.spelling.format(raw);
  }

  view(raw: bigint): number {
    return Number(this.#options.unsigned ? BigInt.asUintN(64, raw) : raw);
  }

  lines(name: string, raw: bigint, original: bigint): readonly RewriteLine[] {
    return [{ text: `${name} ${this.#options.spelling.rewrite(raw)}`, force: raw !== original }];
  }
}

/** A signed integer; by default from 0 to the largest C int. */
export function int(
  initial: Initial<number>,
  min: number | bigint = 0n,
  max: number | bigint = INT_MAX,
): SettingType<bigint, number> {
  return new NumberType(initial, { spelling: PLAIN, min: BigInt(min), max: BigInt(max), unsigned: false });
}

/** A signed integer from 0 up that is moved into `low`..`high` without complaint. */
export function clampedInt(initial: Initial<number>, low: bigint, high: bigint): SettingType<bigint, number> {
  return new NumberType(initial, { spelling: PLAIN, min: 0n, max: INT_MAX, unsigned: false, clamp: [low, high] });
}

/** An unsigned integer. */
export function uint(
  initial: Initial<number>,
  min: number | bigint,
  max: number | bigint,
): SettingType<bigint, number> {
  return new NumberType(initial, { spelling: PLAIN, min: BigInt(min), max: BigInt(max), unsigned: true });
}

/** File permissions in octal, from 0 to `max`. */
export function octal(initial: number, max: number): SettingType<bigint, number> {
  return new NumberType(initial, { spelling: OCTAL, min: 0n, max: BigInt(max), unsigned: true });
}

/** Bytes held in a signed variable: a number past 2^63-1 is out of bounds. */
export function memory(
  initial: Initial<number>,
  min: number | bigint = 0n,
  max: bigint = LONG_MAX,
): SettingType<bigint, number> {
  return new NumberType(initial, { spelling: MEMORY, min: BigInt(min), max, unsigned: false });
}

/** Bytes held in an unsigned variable. */
export function unsignedMemory(
  initial: Initial<number>,
  min: number | bigint = 0n,
  max: bigint = LONG_MAX,
): SettingType<bigint, number> {
  return new NumberType(initial, { spelling: MEMORY, min: BigInt(min), max, unsigned: true });
}

/** Bytes, or a percentage up to 100: the view is then negative, -5 for "5%". */
export function memoryOrPercent(initial: number): SettingType<bigint, number> {
  return new NumberType(initial, {
    spelling: MEMORY_OR_PERCENT,
    min: -100n,
    max: LONG_MAX,
    unsigned: false,
    percent: true,
  });
}
