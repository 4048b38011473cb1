/**
 * The new value of a bit field: what SET and INCRBY make of the old one, and what happens when that does not fit. Values up to 2^52 are doubles;
 * the rest goes through bigints. Redis' quirks: an unsigned field that is set to a negative number overflows upwards (the number is read as an
 * unsigned one), and so does a signed field that is set to a number so low that its distance from the highest value does not fit in 64 bits.
 */
import { bigIntHigh, bigIntLow, int64High, int64Low, int64ToBigInt, int64ToNumber } from "../../base/int64.ts";
import type { Field } from "../../struct/bits.ts";

/** What to do with a value that does not fit: take it modulo 2^width, take the nearest that fits, or leave the field alone. */
export const Overflow = { Wrap: 0, Saturate: 1, Fail: 2 } as const;

const EXACT = 2 ** 52;
const EXACT_WIDTH = 52;

/**
 * Computes the value of a field of `width` bits that is set to `operand`, or is incremented by it when `old` is given, into `out`. Returns false
 * when the value does not fit and `overflow` is Fail.
 */
export function fieldValue(
  old: Field | null,
  operand: Field,
  width: number,
  signed: boolean,
  overflow: number,
  out: Field,
): boolean {
  const base = old === null ? 0 : int64ToNumber(old.low, old.high);
  const step = int64ToNumber(operand.low, operand.high);
  // Comparisons with NaN are false: what is not safe takes the exact way.
  if (!(base <= EXACT && base >= -EXACT && step <= EXACT && step >= -EXACT)) {
    return exactFieldValue(old, operand, width, signed, overflow, out);
  }
  const modulus = 2 ** width;
  const max = signed ? modulus / 2 - 1 : modulus - 1;
  const min = signed ? -modulus / 2 : 0;
  let value = base + step;
  if (value > max || value < min) {
    if (overflow === Overflow.Fail) return false;
    if (width > EXACT_WIDTH) return exactFieldValue(old, operand, width, signed, overflow, out);
    if (overflow === Overflow.Saturate) {
      value = value > max || (old === null && !signed) ? max : min;
    } else {
      value -= Math.floor(value / modulus) * modulus;
      if (value > max) value -= modulus;
    }
  }
  out.low = int64Low(value);
  out.high = int64High(value);
  return true;
}

function exactFieldValue(
  old: Field | null,
  operand: Field,
  width: number,
  signed: boolean,
  overflow: number,
  out: Field,
): boolean {
  const max = (1n << BigInt(signed ? width - 1 : width)) - 1n;
  const min = signed ? -max - 1n : 0n;
  const step = int64ToBigInt(operand.low, operand.high);
  let value = old === null ? step : int64ToBigInt(old.low, old.high) + step;
  if (value > max || value < min) {
    if (overflow === Overflow.Fail) return false;
    const upwards = value > max || (old === null && (!signed || (width < 64 && BigInt.asIntN(64, max - value) < 0n)));
    if (overflow === Overflow.Saturate) value = upwards ? max : min;
    else value = signed ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value);
  }
  out.low = bigIntLow(value);
  out.high = bigIntHigh(value);
  return true;
}
