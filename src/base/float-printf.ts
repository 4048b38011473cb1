/**
 * Doubles as C's printf prints them, for the few places where Redis does so: the 17 significant digits of "%.17g" (ZSCAN, digests), the trimmed 17 places
 * of "%.17Lf" (coordinates), 6 places (coordinates in errors), and 4 places (distances).
 */
import { writeInteger } from "./int64.ts";

const SIGNIFICANT_DIGITS = 17;
const PLACES = 17;

/** "%.17g". */
export function formatGeneral(n: number): string {
  if (!Number.isFinite(n)) return Number.isNaN(n) ? "nan" : n > 0 ? "inf" : "-inf";
  if (n === 0) return Object.is(n, -0) ? "-0" : "0";
  const [mantissa, power] = Math.abs(n)
    .toExponential(SIGNIFICANT_DIGITS - 1)
    .split("e") as [string, string];
  const digits = mantissa.replace(".", "").replace(/0+$/, "");
  return (n < 0 ? "-" : "") + placeDigits(digits, Number(power));
}

/** Digits of which the first stands for 10^exponent. */
function placeDigits(digits: string, exponent: number): string {
  if (exponent < -4 || exponent >= SIGNIFICANT_DIGITS) {
    const rest = digits.length > 1 ? `.${digits.slice(1)}` : "";
    const magnitude = String(Math.abs(exponent)).padStart(2, "0");
    return `${digits[0]}${rest}e${exponent < 0 ? "-" : "+"}${magnitude}`;
  }
  if (exponent < 0) return `0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return digits.length > exponent + 1 ? `${whole}.${digits.slice(exponent + 1)}` : whole;
}

/** "%.17Lf" without zeros at its end, of a finite number below 10^21. */
export function formatPlaces(n: number): string {
  const trimmed = fixed(n, PLACES).replace(/\.?0+$/, "");
  return trimmed === "-0" ? "0" : trimmed;
}

/** "%f", 6 places. */
export function formatSixPlaces(n: number): string {
  if (!Number.isFinite(n)) return formatGeneral(n);
  // From 2^53 on every double is an integer.
  if (Math.abs(n) >= 2 ** 53) return `${BigInt(n)}.000000`;
  return Object.is(n, -0) ? "-0.000000" : fixed(n, 6);
}

/** A number with so many decimal places, to nearest, half to even. */
function fixed(n: number, places: number): string {
  // An odd multiple of 2^-(places + 1), and no other double, can lie halfway between two decimals.
  const scaled = n * 2 ** (places + 1);
  return Number.isInteger(scaled) && Math.abs(scaled) % 2 === 1 ? tieToEven(n, places) : n.toFixed(places);
}

/** A number that lies halfway between two decimals: its text of one place more is exact and ends in 5. */
function tieToEven(n: number, places: number): string {
  const below = BigInt(
    Math.abs(n)
      .toFixed(places + 1)
      .replace(".", "")
      .slice(0, -1),
  );
  const digits = String(below + (below & 1n)).padStart(places + 1, "0");
  return `${n < 0 ? "-" : ""}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

/** Writes a number of at most 2^53 / 10^4 with 4 places at `dst[offset]`, the fifth rounded half to even; returns the offset after it. */
export function writeFourPlaces(dst: Uint8Array, offset: number, n: number): number {
  const product = Math.abs(n) * 10_000;
  let units = Math.floor(product);
  const rest = product - units;
  if (rest > 0.5 || (rest === 0.5 && units % 2 === 1)) units++;
  let at = offset;
  if (n < 0 && units > 0) dst[at++] = 45;
  const whole = Math.floor(units / 10_000);
  at = writeInteger(dst, at, whole);
  // A leading one keeps the zeros behind the point, which then takes its place.
  const end = writeInteger(dst, at, units - whole * 10_000 + 10_000);
  dst[at] = 46;
  return end;
}
