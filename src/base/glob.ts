/**
 * Glob patterns of KEYS, SCAN MATCH, PSUBSCRIBE, CONFIG GET and ACL, over bytes.
 *
 *   *  any bytes      ?  one byte      [abc] [a-z] [^a]  one byte of a class      \x  the byte x itself
 *
 * A failed attempt only ever resumes at the last star: a longer match for an earlier star could not help, since
 * whatever follows the last one has already been tried everywhere behind it. So the time is at most
 * pattern times text, and never exponential.
 *
 * Quirks of Redis, kept because clients see them:
 * - "*" does not match the empty text; nothing but the empty pattern does.
 * - A class without "]" ends with the pattern. "[^" at the end matches any byte, "[" at the end matches none.
 * - A range is between signed bytes, in either order, and only then folded: "[Z-a]" folded is empty. Folding also
 *   makes the bytes from 0x80 to 0xfe unsigned.
 * - "[a-]" is a range up to "]".
 * - More than NESTING_MAX stars (runs of stars, not counting one at the end) match nothing.
 */

const STAR = 42;
const QUESTION = 63;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const CARET = 94;
const DASH = 45;

/** Stars of one pattern that are followed by something else. */
const NESTING_MAX = 1000;

/** Where the class read by {@link classMatches} ended: the offset after its "]". */
let classEnd = 0;

/** Whether the whole of `text[tOff, tOff + tLen)` matches the pattern. `ignoreCase` folds ASCII letters. */
export function globMatch(
  pattern: Uint8Array,
  pOff: number,
  pLen: number,
  text: Uint8Array,
  tOff: number,
  tLen: number,
  ignoreCase: boolean,
): boolean {
  const pEnd = pOff + pLen;
  const tEnd = tOff + tLen;
  if (tLen === 0) return pLen === 0;
  let p = pOff;
  let t = tOff;
  /** Pattern offset after the last star, or -1 before the first. */
  let starNext = -1;
  /** Text offset at which what follows the last star was tried last. */
  let starText = 0;
  let nesting = 0;
  for (;;) {
    if (p < pEnd && pattern[p] === STAR) {
      while (p < pEnd && pattern[p] === STAR) p++;
      if (p === pEnd) return true;
      // The text is used up: no tail that needs a byte can match, wherever the earlier stars end.
      if (t === tEnd) return false;
      if (++nesting > NESTING_MAX) return false;
      starNext = p;
      starText = t;
      continue;
    }
    if (t === tEnd) {
      if (p === pEnd) return true;
    } else if (p < pEnd) {
      const next = matchOne(pattern, p, pEnd, text[t], ignoreCase);
      if (next >= 0) {
        p = next;
        t++;
        continue;
      }
    }
    if (starNext < 0 || ++starText >= tEnd) return false;
    p = starNext;
    t = starText;
  }
}

/** Matches one byte with the element at `pattern[p]` (no star): the offset after the element, or -1. */
function matchOne(pattern: Uint8Array, p: number, pEnd: number, byte: number, ignoreCase: boolean): number {
  let wanted = pattern[p];
  if (wanted === QUESTION) return p + 1;
  if (wanted === OPEN_BRACKET) return classMatches(pattern, p + 1, pEnd, byte, ignoreCase) ? classEnd : -1;
  if (wanted === BACKSLASH && p + 1 < pEnd) wanted = pattern[++p];
  if (wanted === byte || (ignoreCase && toLower(wanted) === toLower(byte))) return p + 1;
  return -1;
}

/** Whether `byte` is in the class whose first byte after "[" is at `p`; leaves the class's end in `classEnd`. */
function classMatches(pattern: Uint8Array, p: number, pEnd: number, byte: number, ignoreCase: boolean): boolean {
  const negated = p < pEnd && pattern[p] === CARET;
  if (negated) p++;
  let found = false;
  while (p < pEnd && pattern[p] !== CLOSE_BRACKET) {
    if (pattern[p] === BACKSLASH && p + 1 < pEnd) {
      // An escaped byte is compared as it is, even when case is ignored.
      if (pattern[++p] === byte) found = true;
      p++;
    } else if (p + 2 < pEnd && pattern[p + 1] === DASH) {
      if (inRange(pattern[p], pattern[p + 2], byte, ignoreCase)) found = true;
      p += 3;
    } else {
      if (pattern[p] === byte || (ignoreCase && toLower(pattern[p]) === toLower(byte))) found = true;
      p++;
    }
  }
  classEnd = p < pEnd ? p + 1 : pEnd;
  return found !== negated;
}

function inRange(from: number, to: number, byte: number, ignoreCase: boolean): boolean {
  let low = (from << 24) >> 24;
  let high = (to << 24) >> 24;
  let value = (byte << 24) >> 24;
  if (low > high) {
    const swapped = low;
    low = high;
    high = swapped;
  }
  if (ignoreCase) {
    low = toLowerSigned(low);
    high = toLowerSigned(high);
    value = toLowerSigned(value);
  }
  return value >= low && value <= high;
}

/** The C library's tolower of a signed char: it folds letters, and makes negative values unsigned, except -1. */
function toLowerSigned(value: number): number {
  return value < -1 ? value + 256 : toLower(value);
}

function toLower(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte + 32 : byte;
}

/**
 * Number of leading bytes of the pattern that stand for themselves: every text that matches starts with them.
 * Equal to `length` when the pattern is a plain string.
 */
export function globLiteralPrefixLength(pattern: Uint8Array, offset: number, length: number): number {
  for (let i = 0; i < length; i++) {
    const byte = pattern[offset + i];
    if (byte === STAR || byte === QUESTION || byte === OPEN_BRACKET || byte === BACKSLASH) return i;
  }
  return length;
}

/** Number of trailing bytes of the pattern that stand for themselves, outside of classes and escapes: every text that matches ends with them. */
export function globLiteralSuffixLength(pattern: Uint8Array, offset: number, length: number): number {
  const end = offset + length;
  let literalFrom = offset;
  for (let p = offset; p < end; ) {
    const byte = pattern[p];
    if (byte === STAR || byte === QUESTION) {
      p++;
    } else if (byte === OPEN_BRACKET) {
      classMatches(pattern, p + 1, end, 0, false);
      p = classEnd;
    } else if (byte === BACKSLASH && p + 1 < end) {
      p += 2;
    } else {
      p++;
      continue;
    }
    literalFrom = p;
  }
  return end - literalFrom;
}
