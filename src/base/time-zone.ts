/**
 * The offset of local time, read from the system's zone file. JavaScript's own local time gives the same answer, but its
 * first use loads the whole zone database, which takes longer than the rest of the server's start.
 *
 * A zone file (RFC 8536) after its 44-byte header, in its second part with 64-bit times:
 *
 *     [transition times, seconds][type of each transition][types: offset i32, isDst u8, name u8][names][...]\n rule \n
 *
 * Invariant: transition times ascend. The rule covers the time after the last one; a rule with summer time, and anything
 * that cannot be read, is left to JavaScript.
 */

import { readSmallFile } from "./small-file.ts";

const HEADER_BYTES = 44;
const TYPE_BYTES = 6;
/** Twenty times what a zone takes. */
const FILE_BYTES_MAX = 64 * 1024;
const ZONE_FOLDER = "/usr/share/zoneinfo";

/** Milliseconds to add to the time of an instant to get local time; null when this file does not know. */
type OffsetFinder = (nowMs: number) => number | null;

const unknown: OffsetFinder = () => null;

/** Offset of a rule without summer time, like `UTC0`, `CET-1` or `<+0530>-5:30`; null for any other. */
function fixedRuleMs(rule: string): number | null {
  // What most servers have, without the making of an expression.
  if (rule === "UTC0") return 0;
  const match = /^(?:<[^>]+>|[A-Za-z]+)([+-]?)(\d+)(?::(\d+))?(?::(\d+))?$/.exec(rule);
  if (!match) return null;
  const westSeconds = Number(match[2]) * 3600 + Number(match[3] ?? 0) * 60 + Number(match[4] ?? 0);
  return (match[1] === "-" ? westSeconds : 0 - westSeconds) * 1000;
}

/** Bytes of a data block, from the counts in the header at `start`, with times of `timeBytes` each. */
function blockBytes(view: DataView, start: number, timeBytes: number): number {
  const count = (index: number) => view.getUint32(start + 20 + index * 4);
  const [isUtc, isStandard, leaps, times, types, chars] = [count(0), count(1), count(2), count(3), count(4), count(5)];
  return times * (timeBytes + 1) + types * TYPE_BYTES + chars + leaps * (timeBytes + 4) + isStandard + isUtc;
}

/** Reads a zone file. Bytes that are none give a finder that knows nothing. */
export function parseZoneFile(bytes: Uint8Array): OffsetFinder {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isHeader = (at: number) => at + HEADER_BYTES <= bytes.length && view.getUint32(at) === 0x545a6966;
  if (!isHeader(0) || bytes[4]! < 0x32) return unknown;
  const header = HEADER_BYTES + blockBytes(view, 0, 4);
  if (!isHeader(header)) return unknown;
  const timeCount = view.getUint32(header + 32);
  const typeCount = view.getUint32(header + 36);
  const times = header + HEADER_BYTES;
  const indexes = times + timeCount * 8;
  const types = indexes + timeCount;
  const end = times + blockBytes(view, header, 8);
  if (typeCount === 0 || end > bytes.length) return unknown;
  const rule = new TextDecoder().decode(bytes.subarray(end)).trim();
  const afterMs = fixedRuleMs(rule);
  const typeMs = (type: number) => view.getInt32(types + type * TYPE_BYTES) * 1000;
  const timeMs = (index: number) => Number(view.getBigInt64(times + index * 8)) * 1000;
  return (nowMs) => {
    if (timeCount === 0) return rule === "" ? typeMs(0) : afterMs;
    if (nowMs >= timeMs(timeCount - 1)) return rule === "" ? typeMs(bytes[indexes + timeCount - 1]!) : afterMs;
    let low = -1;
    let high = timeCount - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (timeMs(middle) <= nowMs) low = middle;
      else high = middle;
    }
    return typeMs(low < 0 ? 0 : bytes[indexes + low]!);
  };
}

function readZone(path: string): OffsetFinder {
  try {
    return parseZoneFile(readSmallFile(path, FILE_BYTES_MAX));
  } catch {
    return unknown;
  }
}

/** The zone that the TZ variable names, in the forms that libc understands; `undefined` is the system's zone. */
function findZone(variable: string | undefined): OffsetFinder {
  if (variable === undefined) return readZone("/etc/localtime");
  const name = variable.startsWith(":") ? variable.slice(1) : variable;
  if (name === "") return () => 0;
  const zone = readZone(name.startsWith("/") ? name : `${ZONE_FOLDER}/${name}`);
  if (zone !== unknown) return zone;
  const fixedMs = fixedRuleMs(name);
  return fixedMs === null ? unknown : () => fixedMs;
}

/** Local time of one zone. */
export class TimeZone {
  readonly #find: OffsetFinder;

  /** @param variable value of the TZ environment variable, undefined when it is not set */
  constructor(variable: string | undefined) {
    this.#find = findZone(variable);
  }

  /** Whether the zone file knows the offset at this time, so that JavaScript's own zone is not asked. */
  knows(nowMs: number): boolean {
    return this.#find(nowMs) !== null;
  }

  /** Milliseconds that local time is ahead of UTC at an instant; negative west of Greenwich. */
  eastMs(nowMs: number): number {
    return this.#find(nowMs) ?? (0 - new Date(nowMs).getTimezoneOffset()) * 60_000;
  }
}
