/** Numbers of config files and CONFIG SET, read the way the C library and Redis read them. bigint throughout: exact to 64 bits. */

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;

const ZERO = 48;
const NINE = 57;
/** Of a 64-bit integer. */
const DIGITS_MAX = 19;

/** A signed 64-bit integer in its one canonical spelling: no sign but "-", no leading zeros, no spaces. Else null. */
export function parseInteger(text: string): bigint | null {
  // No expression: nearly every start reads a port, and the first expression of a process costs a tenth of a millisecond.
  const first = text.startsWith("-") ? 1 : 0;
  const digits = text.length - first;
  if (digits === 0 || digits > DIGITS_MAX || (text[first] === "0" && text.length > 1)) return null;
  for (let i = first; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < ZERO || code > NINE) return null;
  }
  const value = BigInt(text);
  return value >= INT64_MIN && value <= INT64_MAX ? value : null;
}

/** strtoll() in base 10 that must use the whole text: white space before and "+" are fine, and so is the empty text (0). Saturates. */
export function parseLooseInteger(text: string): bigint | null {
  const match = /^[ \t-\r]*([+-]?)([0-9]+)$/.exec(text);
  if (match === null) return text === "" ? 0n : null;
  const value = match[1] === "-" ? -BigInt(match[2]) : BigInt(match[2]);
  if (value > INT64_MAX) return INT64_MAX;
  return value < INT64_MIN ? INT64_MIN : value;
}

/** strtoll() in base 8, by the same rules; null too when it does not fit 64 bits. */
export function parseOctal(text: string): bigint | null {
  const match = /^[ \t-\r]*([+-]?)([0-7]+)$/.exec(text);
  if (match === null) return text === "" ? 0n : null;
  const value = match[1] === "-" ? -BigInt(`0o${match[2]}`) : BigInt(`0o${match[2]}`);
  return value > INT64_MAX || value < INT64_MIN ? null : value;
}

const UNITS: Readonly<Record<string, bigint>> = {
  "": 1n,
  b: 1n,
  k: 1000n,
  kb: 1024n,
  m: 1000_000n,
  mb: 1024n * 1024n,
  g: 1000_000_000n,
  gb: 1024n * 1024n * 1024n,
};

/** Bytes with an optional unit ("100mb" is 2^20, "100m" is 10^6). The number saturates at 2^64-1 and the product wraps, as in Redis; the empty text is 0. */
export function parseMemory(text: string): bigint | null {
  const match = /^([0-9]{0,127})([a-z]*)$/i.exec(text);
  if (match === null) return null;
  const unit = UNITS[match[2].toLowerCase()];
  if (unit === undefined) return null;
  const digits = BigInt(match[1] === "" ? "0" : match[1]);
  return BigInt.asUintN(64, (digits > UINT64_MAX ? UINT64_MAX : digits) * unit);
}

/** Bytes in the largest binary unit that divides them, for config files. */
export function formatMemory(bytes: bigint): string {
  for (const unit of ["gb", "mb", "kb"]) {
    if (bytes !== 0n && bytes % UNITS[unit] === 0n) return `${bytes / UNITS[unit]}${unit}`;
  }
  return bytes.toString();
}

/** A finite or infinite decimal number that is the whole text, or null. */
export function parseDecimal(text: string): number | null {
  if (/^[+-]?inf(inity)?$/i.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  return /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?$/i.test(text) ? Number(text) : null;
}
