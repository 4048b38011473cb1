/** Whether a listpack that came from outside is what a hash, a set or a sorted set can be kept in. */

import { latin1 } from "../base/bytes.ts";
import {
  type ListpackElement as Element,
  LISTPACK_HEADER_BYTES,
  ListpackElement,
  listpackIsValid,
} from "../struct/listpack.ts";
import { elementBytes, LISTPACK_END } from "../struct/listpack-element.ts";

/** True when bytes that are no valid listpack look like one that is not empty: its size, its end and the count in its head. */
export function looksLikeListpack(buf: Uint8Array, offset: number, length: number): boolean {
  return listpackIsValid(buf, offset, length, false) && (buf[offset + 4] | buf[offset + 5]) !== 0;
}

/** What is wrong with the tuples of a listpack that is valid element by element. */
export const Tuples = { Right: 0, Incomplete: 1, Repeated: 2 } as const;

/**
 * Looks through a valid listpack of tuples of `tuple` elements, of which the first is the key; `distinct`: no key may come twice. Returns a value of Tuples.
 */
export function tuplesState(buf: Uint8Array, offset: number, tuple: number, distinct: boolean): number {
  const seen = distinct ? new Set<string>() : null;
  const element: Element = new ListpackElement();
  let p = offset + LISTPACK_HEADER_BYTES;
  while (buf[p] !== LISTPACK_END) {
    if (seen !== null) {
      element.read(buf, p);
      element.text();
      const key = latin1(element.buf, element.at, element.length);
      if (seen.has(key)) return Tuples.Repeated;
      seen.add(key);
    }
    for (let i = 0; i < tuple; i++) {
      if (buf[p] === LISTPACK_END) return Tuples.Incomplete;
      p += elementBytes(buf, p);
    }
  }
  return Tuples.Right;
}

/** True when the third elements of triples are times: integers from 0 to `max`. Leaves in `timesOrder` whether they ascend, those that are 0 behind all others. */
export function timesAreValid(buf: Uint8Array, offset: number, max: number): boolean {
  const element: Element = new ListpackElement();
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
