/**
 * Patterns of SORT's BY and GET: "#" is the element itself; "a*b" the string under the key that has the element in the place of the first star;
 * "a*b->f" the field `f` of the hash under that key. A pattern without a star finds nothing. As in Redis a NUL ends the search for star and arrow.
 */
import type { Ref } from "../../arena/arena.ts";
import { copyBytes, copyOf } from "../../base/bytes.ts";
import type { Context } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { entryType, Type } from "../../types/entry.ts";
import { HashSlot, hashFind } from "../../types/hash/hash.ts";
import { type ByteSpan, readString } from "../../types/string.ts";

const HASH_SIGN = 35;
const STAR = 42;
const MINUS = 45;
const GREATER = 62;

/** A pattern, as the positions of its parts in the buffer of the request. */
export class SortPattern {
  isElement = false;
  hasStar = false;
  prefixAt = 0;
  prefixLength = 0;
  suffixAt = 0;
  suffixLength = 0;
  fieldAt = 0;
  /** 0: the pattern names no field. */
  fieldLength = 0;

  /** Takes a pattern apart. */
  parse(buf: Uint8Array, at: number, length: number): void {
    const nul = buf.subarray(at, at + length).indexOf(0);
    const end = nul < 0 ? at + length : at + nul;
    this.isElement = end - at === 1 && buf[at] === HASH_SIGN;
    let star = at;
    while (star < end && buf[star] !== STAR) star++;
    this.hasStar = star < end;
    this.prefixAt = at;
    this.prefixLength = star - at;
    this.suffixAt = star + 1;
    let arrow = star + 1;
    while (arrow + 2 < end && (buf[arrow] !== MINUS || buf[arrow + 1] !== GREATER)) arrow++;
    const hasField = arrow + 2 < end;
    this.fieldAt = arrow + 2;
    this.fieldLength = hasField ? at + length - this.fieldAt : 0;
    this.suffixLength = (hasField ? arrow : at + length) - this.suffixAt;
  }
}

let key = new Uint8Array(256);
const slot = new HashSlot();

/** Looks the value of a pattern up for the element of `length` bytes at `at`, and points `out` at it; false when there is none. */
export function lookUpPattern(
  cx: Context,
  pattern: SortPattern,
  element: Uint8Array,
  at: number,
  length: number,
  out: ByteSpan,
): boolean {
  if (pattern.isElement) {
    out.buf = element;
    out.at = at;
    out.length = length;
    return true;
  }
  if (!pattern.hasStar) return false;
  const e = lookUpKey(cx, buildKey(cx.buf, pattern, element, at, length));
  if (e === 0) return false;
  const { arena: a } = cx;
  if (pattern.fieldLength === 0) {
    if (entryType(a, e) !== Type.String) return false;
    readString(a, e, out);
    return true;
  }
  if (entryType(a, e) !== Type.Hash) return false;
  if (!hashFind(a, e, cx.buf, pattern.fieldAt, pattern.fieldLength, slot)) return false;
  if (slot.expiryMs !== 0 && cx.engine.keyspace.isExpired(slot.expiryMs)) return false;
  out.buf = slot.value.buf;
  out.at = slot.value.at;
  out.length = slot.value.length;
  return true;
}

/** Puts a pattern's key into `key`; returns its length. */
function buildKey(buf: Uint8Array, p: SortPattern, element: Uint8Array, at: number, length: number): number {
  const total = p.prefixLength + length + p.suffixLength;
  if (total > key.length) key = new Uint8Array(total * 2);
  copyBytes(buf, p.prefixAt, key, 0, p.prefixLength);
  copyBytes(element, at, key, p.prefixLength, length);
  copyBytes(buf, p.suffixAt, key, p.prefixLength + length, p.suffixLength);
  return total;
}

/** The entry of the first `length` bytes of `key`, or 0: a look-up for reading like any other. */
function lookUpKey(cx: Context, length: number): Ref {
  const { db, engine } = cx;
  const { keyspace } = engine;
  const e = db.lookup(key, 0, length);
  if (e === 0) {
    keyspace.misses++;
    if ((engine.notifyMask & Event.KeyMiss) !== 0)
      cx.notifyKey(copyOf(key, 0, length), 0, length, db.id, Event.KeyMiss, "keymiss");
    return 0;
  }
  keyspace.hits++;
  if (!engine.noTouch) keyspace.touch(e);
  return e;
}
