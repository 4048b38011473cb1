/**
 * Ids of stream entries: two unsigned 64-bit numbers, milliseconds and a sequence number, written `ms-seq`. An id in memory is four words, the most
 * significant first, so that it is a key of struct/id-index as it stands:
 *
 *   [ms high][ms low][seq high][seq low]
 */
import { untilNul } from "../../base/bytes.ts";
import { int64High, int64Low, parseSafeInteger, writeInteger } from "../../base/int64.ts";

/** An id: see the layout above. */
export type StreamId = Int32Array;

export const ID_WORDS = 4;
/** Longest text of an id. */
export const ID_TEXT_MAX = 41;

/** What is longer is no id. */
const TEXT_LIMIT = 127;
const DASH = 45;
const PLUS = 43;
const STAR = 42;
const UINT64_MAX = (1n << 64n) - 1n;
/** Numbers with a smaller high half are within 2^53. */
const SAFE_HIGH = 1 << 21;
const MILLION_MILLIONS = 1_000_000_000_000n;

export function idCreate(): StreamId {
  return new Int32Array(ID_WORDS);
}

export function idSet(id: StreamId, source: StreamId): void {
  id[0] = source[0];
  id[1] = source[1];
  id[2] = source[2];
  id[3] = source[3];
}

export function idClear(id: StreamId): void {
  id[0] = 0;
  id[1] = 0;
  id[2] = 0;
  id[3] = 0;
}

/** Makes an id the greatest. */
export function idSetMax(id: StreamId): void {
  id[0] = -1;
  id[1] = -1;
  id[2] = -1;
  id[3] = -1;
}

/** Makes an id the first one of a time. `ms` is a safe integer, not negative. */
export function idSetMs(id: StreamId, ms: number): void {
  id[0] = int64High(ms);
  id[1] = int64Low(ms);
  id[2] = 0;
  id[3] = 0;
}

export function idIsZero(id: StreamId): boolean {
  return (id[0] | id[1] | id[2] | id[3]) === 0;
}

export function idIsMax(id: StreamId): boolean {
  return (id[0] & id[1] & id[2] & id[3]) === -1;
}

/** Negative, zero or positive, as `one` is below, equal to or above `two`. */
export function idCompare(one: StreamId, two: StreamId): number {
  for (let i = 0; i < ID_WORDS; i++) if (one[i] !== two[i]) return (one[i] >>> 0) - (two[i] >>> 0);
  return 0;
}

/** Compares the milliseconds only. */
export function idMsEqual(one: StreamId, two: StreamId): boolean {
  return one[0] === two[0] && one[1] === two[1];
}

/** Makes an id the next one; false, and the id as it was, when it is the greatest. */
export function idIncrement(id: StreamId): boolean {
  if (idIsMax(id)) return false;
  for (let i = ID_WORDS - 1; i >= 0; i--) {
    id[i]++;
    if (id[i] !== 0) break;
  }
  return true;
}

/** Makes an id the one before; false, and the id as it was, when it is the least. */
export function idDecrement(id: StreamId): boolean {
  if (idIsZero(id)) return false;
  for (let i = ID_WORDS - 1; i >= 0; i--) {
    id[i]--;
    if (id[i] !== -1) break;
  }
  return true;
}

/** Reads four words. */
export function idRead(id: StreamId, words: Int32Array, at: number): void {
  id[0] = words[at];
  id[1] = words[at + 1];
  id[2] = words[at + 2];
  id[3] = words[at + 3];
}

/** Writes four words. */
export function idStore(id: StreamId, words: Int32Array, at: number): void {
  words[at] = id[0];
  words[at + 1] = id[1];
  words[at + 2] = id[2];
  words[at + 3] = id[3];
}

/** Writes `ms-seq` at `at`; returns the end. Takes up to ID_TEXT_MAX bytes. */
export function idWrite(target: Uint8Array, at: number, id: StreamId): number {
  const middle = writeUint64(target, at, id[1], id[0]);
  target[middle] = DASH;
  return writeUint64(target, middle + 1, id[3], id[2]);
}

function writeUint64(target: Uint8Array, at: number, low: number, high: number): number {
  if (high >= 0 && high < SAFE_HIGH) return writeInteger(target, at, high * 4294967296 + (low >>> 0));
  const n = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  const middle = writeInteger(target, at, Number(n / MILLION_MILLIONS));
  // The lower twelve digits with a one before them, which is then overwritten by the last digit of the upper ones.
  const last = target[middle - 1];
  const end = writeInteger(target, middle - 1, Number(n % MILLION_MILLIONS) + 1e12);
  target[middle - 1] = last;
  return end;
}

/** An id as text. Slow paths only. */
export function idText(id: StreamId): string {
  const text = new Uint8Array(ID_TEXT_MAX);
  return Buffer.from(text.buffer, 0, idWrite(text, 0, id)).toString("latin1");
}

/** What idParse found. */
export const IdForm = {
  Invalid: 0,
  /** Complete, or without a sequence number, which then is the one for that case. */
  Id: 1,
  /** `ms-*`: the sequence number, 0 now, is to be chosen. */
  AutoSequence: 2,
} as const;

/** How ids are read, as bits: ends of the range (`-`, `+`) are ids; `ms-*` is one; a missing sequence number is the greatest, not 0. */
export const IdRule = { Ends: 1, AutoSequence: 2, LastOfMs: 4 } as const;

/** Reads an id from bytes. Returns a member of IdForm. */
export function idParse(buf: Uint8Array, at: number, length: number, rules: number, id: StreamId): number {
  const dash = dashAt(buf, at, length);
  const msLength = dash < 0 ? length : dash - at;
  const ms = parseSafeInteger(buf, at, msLength);
  if (!(ms >= 0)) return parseOdd(buf, at, length, rules, id);
  if (dash < 0) {
    idSetMs(id, ms);
    if ((rules & IdRule.LastOfMs) !== 0) {
      id[2] = -1;
      id[3] = -1;
    }
    return IdForm.Id;
  }
  const seqLength = length - msLength - 1;
  if (seqLength === 1 && buf[dash + 1] === STAR && (rules & IdRule.AutoSequence) !== 0) {
    idSetMs(id, ms);
    return IdForm.AutoSequence;
  }
  const seq = parseSafeInteger(buf, dash + 1, seqLength);
  if (!(seq >= 0)) return parseOdd(buf, at, length, rules, id);
  idSetMs(id, ms);
  id[2] = int64High(seq);
  id[3] = int64Low(seq);
  return IdForm.Id;
}

function dashAt(buf: Uint8Array, at: number, length: number): number {
  for (let p = at; p < at + length; p++) if (buf[p] === DASH) return p;
  return -1;
}

/** Everything that does not consist of safe integers in their usual form. Redis reads ids as C strings, and what is no canonical number with strtoull. */
function parseOdd(buf: Uint8Array, at: number, length: number, rules: number, id: StreamId): number {
  if (length > TEXT_LIMIT) return IdForm.Invalid;
  const text = untilNul(String.fromCharCode(...buf.subarray(at, at + length)));
  if (text.length === 1 && (text.charCodeAt(0) === DASH || text.charCodeAt(0) === PLUS)) {
    if ((rules & IdRule.Ends) === 0) return IdForm.Invalid;
    if (text.charCodeAt(0) === DASH) idClear(id);
    else idSetMax(id);
    return IdForm.Id;
  }
  const dash = text.indexOf("-");
  const ms = parseUint64(dash < 0 ? text : text.slice(0, dash));
  if (ms === null) return IdForm.Invalid;
  const rest = text.slice(dash + 1);
  const isAuto = dash >= 0 && rest === "*" && (rules & IdRule.AutoSequence) !== 0;
  let seq: bigint | null = 0n;
  if (dash < 0) seq = (rules & IdRule.LastOfMs) !== 0 ? UINT64_MAX : 0n;
  else if (!isAuto) seq = parseUint64(rest);
  if (seq === null) return IdForm.Invalid;
  setHalf(id, 0, ms);
  setHalf(id, 2, seq);
  return isAuto ? IdForm.AutoSequence : IdForm.Id;
}

/** Sets one of the two numbers of an id. */
function setHalf(id: StreamId, at: number, n: bigint): void {
  id[at] = Number(BigInt.asIntN(32, n >> 32n));
  id[at + 1] = Number(BigInt.asIntN(32, n));
}

/** An unsigned number as strtoull reads it: white space, a sign and zeros may stand in front; a negative one wraps unless it is in the usual form. */
function parseUint64(text: string): bigint | null {
  const parts = /^[ \t\n\v\f\r]*([+-]?)(\d+)$/.exec(text);
  if (parts === null) return null;
  const n = BigInt(parts[2]);
  if (n > UINT64_MAX) return null;
  if (parts[1] !== "-") return n;
  const isCanonical = /^-[1-9]\d*$/.test(text) && n <= 1n << 63n;
  return isCanonical ? null : BigInt.asUintN(64, -n);
}
