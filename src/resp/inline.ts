/** Splits an inline command into arguments: what a person types into a terminal, with redis-cli's quoting rules. */
import type { Request } from "./request.ts";

function isSpace(c: number): boolean {
  return c === 32 || (c >= 9 && c <= 13) || c === 0;
}

/** Vertical tab and form feed separate arguments but do not end one. */
function endsArgument(c: number): boolean {
  return isSpace(c) && c !== 11 && c !== 12;
}

function hexValue(c: number): number {
  if (c >= 48 && c <= 57) return c - 48;
  const lower = c | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

const ESCAPES: Record<number, number> = { 110: 10, 114: 13, 116: 9, 98: 8, 97: 7 };

/** Splits a line into arguments with redis-cli's quoting rules; their bytes go to a buffer of the request's own. False for unbalanced quotes. */
export function splitInline(buf: Uint8Array, from: number, end: number, out: Request): boolean {
  const bytes = new Uint8Array(end - from);
  out.buf = bytes;
  let at = 0;
  let p = from;
  for (;;) {
    while (p < end && isSpace(buf[p])) p++;
    if (p >= end) return true;
    const start = at;
    let quote = 0;
    for (;;) {
      if (quote !== 0) {
        if (p >= end) return false;
        const c = buf[p];
        if (
          quote === 34 &&
          c === 92 &&
          p + 3 < end &&
          buf[p + 1] === 120 &&
          hexValue(buf[p + 2]) >= 0 &&
          hexValue(buf[p + 3]) >= 0
        ) {
          bytes[at++] = hexValue(buf[p + 2]) * 16 + hexValue(buf[p + 3]);
          p += 4;
        } else if (quote === 34 && c === 92 && p + 1 < end) {
          bytes[at++] = ESCAPES[buf[p + 1]] ?? buf[p + 1];
          p += 2;
        } else if (quote === 39 && c === 92 && p + 1 < end && buf[p + 1] === 39) {
          bytes[at++] = 39;
          p += 2;
        } else if (c === quote) {
          // A closing quote must be followed by a space or the end.
          if (p + 1 < end && !isSpace(buf[p + 1])) return false;
          p++;
          break;
        } else {
          bytes[at++] = c;
          p++;
        }
      } else {
        if (p >= end || endsArgument(buf[p])) break;
        const c = buf[p++];
        if (c === 34 || c === 39) quote = c;
        else bytes[at++] = c;
      }
    }
    out.push(start, at - start);
  }
}
