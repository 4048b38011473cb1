/**
 * Where the keys of a request stand: by the key specs of its command, or by the command's own getKeys when the specs cannot tell. COMMAND GETKEYS,
 * ACL key patterns and cluster routing ask here; commands whose keys stand at fixed places need only the firstKey, lastKey and keyStep of their
 * spec.
 */
import { equalsToken } from "../../base/bytes.ts";
import { parseSafeInteger } from "../../base/int64.ts";
import type { Request } from "../../resp/request.ts";
import type { CommandSpec, KeyPositions, KeySpec } from "./spec.ts";

/** A fresh pair of lists for keyPositions to fill. */
export function noPositions(): KeyPositions {
  return { indexes: [], flags: [] };
}

/** True when the command can have keys: arguments that only look like keys (shard channels) do not count. */
export function hasKeys(spec: CommandSpec): boolean {
  const { keys, getKeys } = spec.literal;
  return getKeys !== undefined || keys?.some((key) => !hasFlag(key, "not_key")) === true;
}

/**
 * Fills `out` with the argument indexes of the keys and their flags, in the order in which the specs name them. Returns their number, or -1
 * when the arguments make no sense (a count that is no number or too large, nothing behind a keyword); `out` is empty then.
 * The arity must fit.
 */
export function keyPositions(spec: CommandSpec, request: Request, out: KeyPositions): number {
  clear(out);
  const { keys, getKeys } = spec.literal;
  // Flags that depend on the arguments are only known to the command itself.
  const bySpecs = keys !== undefined && !(getKeys !== undefined && keys.some((key) => hasFlag(key, "variable_flags")));
  let valid = true;
  if (bySpecs) {
    for (const key of keys) {
      if (hasFlag(key, "not_key")) continue;
      if (!positionsOfSpec(key, request, out)) {
        valid = false;
        break;
      }
    }
    if (valid) return out.indexes.length;
  }
  clear(out);
  if (getKeys !== undefined) valid = getKeys(request, out);
  if (!valid) clear(out);
  return valid ? out.indexes.length : -1;
}

function clear(out: KeyPositions): void {
  out.indexes.length = 0;
  out.flags.length = 0;
}

function hasFlag(key: KeySpec, word: string): boolean {
  return key.flags.includes(word);
}

/** Appends the keys of one spec; false when it does not fit the arguments, or does not tell everything. */
function positionsOfSpec(key: KeySpec, request: Request, out: KeyPositions): boolean {
  const begin = beginOf(key, request);
  if (begin === 0) return true;
  if (begin < 0 || key.find === "unknown") return false;
  const argc = request.count;
  let first = begin;
  let last: number;
  if ("lastKey" in key.find) {
    const { lastKey, limit } = key.find;
    if (lastKey >= 0) last = first + lastKey;
    else if (limit === 0) last = argc + lastKey;
    else last = first + Math.trunc((argc - first) / limit) + lastKey;
  } else {
    const at = first + key.find.keyNumIndex;
    const count = at < argc ? parseSafeInteger(request.buf, request.start[at], request.length[at]) : Number.NaN;
    if (Number.isNaN(count) || count < 0) return false;
    first += key.find.firstKey;
    last = first + (count - 1) * key.find.step;
  }
  if (last >= argc || last < first) return false;
  for (let i = first; i <= last; i += key.find.step) {
    out.indexes.push(i);
    out.flags.push(key.flags);
  }
  return !hasFlag(key, "incomplete");
}

/** The argument index where a spec begins, 0 when its keyword is not there, -1 when it does not say. */
function beginOf(key: KeySpec, request: Request): number {
  const { begin } = key;
  const argc = request.count;
  if (begin === "unknown") return -1;
  if ("index" in begin) return begin.index >= 0 ? begin.index : argc + begin.index;
  const keyword = begin.keyword.toLowerCase();
  const forward = begin.startFrom > 0;
  const from = forward ? begin.startFrom : argc + begin.startFrom;
  // The last argument is not looked at forwards, nor is the first one backwards: nothing could follow, or it is the name.
  const end = forward ? argc - 1 : 1;
  for (let i = from; i > 0 && i < argc && i !== end; i += forward ? 1 : -1) {
    if (equalsToken(request.buf, request.start[i], request.length[i], keyword)) return i + 1;
  }
  return 0;
}
