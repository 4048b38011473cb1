/** The options of XADD and XTRIM: which entries are to go, and what is propagated in the place of an approximate trim. */
import type { Ref } from "../../arena/arena.ts";
import { ClientFlag } from "../../engine/client/client.ts";
import type { Context } from "../../engine/context.ts";
import { ReplyError, SYNTAX } from "../../resp/errors.ts";
import { streamLength } from "../../types/stream/stream.ts";
import { IdForm, IdRule, idCreate, idParse, idText } from "../../types/stream/stream-id.ts";
import { References, Trim, type TrimOptions } from "../../types/stream/stream-trim.ts";
import { streamEdgeId } from "../../types/stream/stream-walk.ts";
import { INVALID_ID, isSign, readId } from "./access.ts";

const BOTH = new ReplyError("ERR syntax error, MAXLEN and MINID options at the same time are not compatible");
const NEGATIVE_LENGTH = new ReplyError("ERR The MAXLEN argument must be >= 0.");
const NEGATIVE_LIMIT = new ReplyError("ERR The LIMIT argument must be >= 0.");
const LIMIT_ALONE = new ReplyError("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy");
const NO_STRATEGY = new ReplyError("ERR syntax error, XTRIM must be called with a trimming strategy");
const LIMIT_EXACT = new ReplyError("ERR syntax error, LIMIT cannot be used without the special ~ option");

const TILDE = 126;
const EQUALS = 61;
const STAR = 42;
const LETTER_A = 65;
const LIMIT_MAX = 1_000_000;
const LIMIT_WITHOUT_NODES = 10_000;
/** Clients whose commands are facts that were checked elsewhere. */
const TRUSTED = ClientFlag.Primary | ClientFlag.Internal;

/** How the id of a new entry is given. */
export const IdChoice = { Given: 0, Sequence: 1, All: 2 } as const;

/** What readTrimOptions found. */
export const trimOptions: TrimOptions & {
  noStream: boolean;
  /** Argument of the id, how it is given, and the id. XADD only. */
  idArg: number;
  idChoice: number;
  readonly id: Int32Array;
  /** Arguments of the threshold, of LIMIT and of the reference mode; 0: none. */
  thresholdArg: number;
  limitArg: number;
} = {
  strategy: Trim.None,
  isApproximate: false,
  limit: 0,
  maxLength: 0,
  minId: idCreate(),
  references: References.Keep,
  noStream: false,
  idArg: 0,
  idChoice: IdChoice.Given,
  id: idCreate(),
  thresholdArg: 0,
  limitArg: 0,
};

/** Reads the options from argument 2 on, up to the id for XADD. */
export function readTrimOptions(cx: Context, isAdd: boolean): void {
  const options = trimOptions;
  options.strategy = Trim.None;
  options.isApproximate = false;
  options.limit = 0;
  options.references = References.Keep;
  options.noStream = false;
  options.idArg = 0;
  options.limitArg = 0;
  options.thresholdArg = 0;
  let hasReferences = false;
  for (let i = 2; i < cx.argc; i++) {
    if (isAdd && isId(cx, i)) break;
    const isLast = i + 1 === cx.argc;
    const references = referencesOf(cx, i);
    if (references >= 0) {
      if (hasReferences) throw SYNTAX;
      hasReferences = true;
      options.references = references;
    } else if (!isLast && (cx.isToken(i, "maxlen") || cx.isToken(i, "minid"))) {
      i = readStrategy(cx, i);
    } else if (!isLast && cx.isToken(i, "limit")) {
      options.limit = cx.longInteger(++i);
      options.limitArg = i;
      if (options.limit < 0) throw NEGATIVE_LIMIT;
    } else if (isAdd && cx.isToken(i, "nomkstream")) {
      options.noStream = true;
    } else {
      throw isAdd ? INVALID_ID : SYNTAX;
    }
  }
  checkLimit(cx, isAdd);
}

/** KEEPREF, DELREF and ACKED; -1: none of them. */
export function referencesOf(cx: Context, i: number): number {
  if (cx.isToken(i, "keepref")) return References.Keep;
  if (cx.isToken(i, "delref")) return References.Delete;
  return cx.isToken(i, "acked") ? References.Acked : -1;
}

function isId(cx: Context, i: number): boolean {
  const options = trimOptions;
  options.idArg = i;
  if (isSign(cx, i, STAR)) {
    options.idChoice = IdChoice.All;
    return true;
  }
  // No id begins with a letter, and every option does.
  if (cx.length[i] > 0 && cx.buf[cx.start[i]] >= LETTER_A) return false;
  const form = idParse(cx.buf, cx.start[i], cx.length[i], IdRule.AutoSequence, options.id);
  if (form === IdForm.Invalid) return false;
  options.idChoice = form === IdForm.Id ? IdChoice.Given : IdChoice.Sequence;
  return true;
}

/** Reads MAXLEN or MINID at argument `i`. Returns the argument of its threshold. */
function readStrategy(cx: Context, i: number): number {
  const options = trimOptions;
  if (options.strategy !== Trim.None) throw BOTH;
  const isLength = cx.isToken(i, "maxlen");
  let arg = i + 1;
  options.isApproximate = false;
  if (arg + 1 < cx.argc && (isSign(cx, arg, TILDE) || isSign(cx, arg, EQUALS))) {
    options.isApproximate = isSign(cx, arg, TILDE);
    arg++;
  }
  if (isLength) {
    options.maxLength = cx.longInteger(arg);
    if (options.maxLength < 0) throw NEGATIVE_LENGTH;
  } else {
    readId(cx, arg, options.minId);
  }
  options.strategy = isLength ? Trim.MaxLength : Trim.MinId;
  options.thresholdArg = arg;
  return arg;
}

function checkLimit(cx: Context, isAdd: boolean): void {
  const options = trimOptions;
  if (options.limit !== 0 && options.strategy === Trim.None) throw LIMIT_ALONE;
  if (!isAdd && options.strategy === Trim.None) throw NO_STRATEGY;
  if (cx.client.has(TRUSTED)) {
    options.limit = 0;
    return;
  }
  if (options.limitArg !== 0) {
    if (!options.isApproximate) throw LIMIT_EXACT;
  } else if (options.isApproximate) {
    const limit = 100 * cx.engine.config.values.streamNodeMaxEntries;
    options.limit = limit <= 0 ? LIMIT_WITHOUT_NODES : Math.min(limit, LIMIT_MAX);
  }
}

/** Propagates the command with the exact trim that was done and, for XADD, with the id that was chosen (null: it was given). */
export function propagateTrim(cx: Context, s: Ref, id: string | null): void {
  const options = trimOptions;
  const parts: (Uint8Array | string)[] = [];
  for (let i = 0; i < cx.argc; i++) {
    if (options.isApproximate && options.limitArg !== 0 && (i === options.limitArg || i === options.limitArg - 1))
      continue;
    if (options.isApproximate && i === options.thresholdArg - 1) parts.push("=");
    else if (options.isApproximate && i === options.thresholdArg) parts.push(thresholdOf(cx, s));
    else if (id !== null && i === options.idArg) parts.push(id);
    else parts.push(cx.bytes(i));
  }
  cx.propagateAs(parts);
}

const firstId = idCreate();

/** The threshold that leaves exactly what there is. */
function thresholdOf(cx: Context, s: Ref): string {
  if (trimOptions.strategy === Trim.MaxLength) return String(streamLength(cx.arena, s));
  if (streamLength(cx.arena, s) === 0) return idText(trimOptions.minId);
  streamEdgeId(cx.arena, s, false, firstId);
  return idText(firstId);
}
