/** Whether a listpack that came from outside is what a hash, a set or a sorted set can be kept in. */

import { latin1 } from "../base/bytes.ts";
import { LISTPACK_HEADER_BYTES, ListpackElement, listpackIsValid } from "../struct/listpack/listpack.ts";
import { elementBytes, LISTPACK_END } from "../struct/listpack/listpack-element.ts";

/** The count of a listpack that has more elements than it can say. */
const COUNT_UNKNOWN = 65535;

/** True when bytes that are no valid listpack look like one that is not empty: its size, its end and the count in its head. */
export function looksLikeListpack(buf: Uint8Array, offset: number, length: number): boolean {
  return listpackIsValid(buf, offset, length, false) && (buf[offset + 4] | buf[offset + 5]) !== 0;
}

const element = new ListpackElement();

/** True when a valid listpack consists of whole tuples of `tuple` elements. */
export function tuplesAreWhole(buf: Uint8Array, offset: number, tuple: number): boolean {
  let count = buf[offset + 4] | (buf[offset + 5] << 8);
  if (count === COUNT_UNKNOWN) {
    count = 0;
    for (let p = offset + LISTPACK_HEADER_BYTES; buf[p] !== LISTPACK_END; p += elementBytes(buf, p)) count++;
  }
  return count % tuple === 0;
}

/** True when a valid listpack consists of whole tuples of `tuple` elements, and no two of them begin with the same one. */
export function tuplesDiffer(buf: Uint8Array, offset: number, tuple: number): boolean {
  if (!tuplesAreWhole(buf, offset, tuple)) return false;
  const seen = new Set<string>();
  let p = offset + LISTPACK_HEADER_BYTES;
  while (buf[p] !== LISTPACK_END) {
    element.read(buf, p);
    element.text();
    const key = latin1(element.buf, element.at, element.length);
    if (seen.has(key)) return false;
    seen.add(key);
    for (let i = 0; i < tuple; i++) p += elementBytes(buf, p);
  }
  return true;
}

/** True when the third elements of triples are times: integers from 0 to `max`. Leaves in `timesOrder` whether they ascend, those that are 0 behind all others. */
export function timesAreValid(buf: Uint8Array, offset: number, max: number): boolean {
  let p = offset + LISTPACK_HEADER_BYTES;
  let previous = 0;
  let isEnding = false;
  timesOrder.ascend = true;
  while (buf[p] !== LISTPACK_END) {
    p += elementBytes(buf, p);
    p += elementBytes(buf, p);
    element.read(buf, p);
    const time = element.number();
    if (!(time >= 0 && time <= max)) return false;
    if (time === 0) isEnding = true;
    else if (isEnding || time < previous) timesOrder.ascend = false;
    previous = time;
    p += elementBytes(buf, p);
  }
  return true;
}

/** What the latest timesAreValid that was true found. */
export const timesOrder = { ascend: true };
