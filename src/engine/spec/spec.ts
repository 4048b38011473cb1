/**
 * A command is a value: its metadata beside its handler. COMMAND, ACL, routing, the gates and the tests read the same literal.
 *
 * The argument grammar is written once, as a syntax line (see syntax.ts), from which COMMAND DOCS builds its argument tree.
 */
import type { Request } from "../../resp/request.ts";

/** Command flags, as COMMAND INFO names them (FLAG_NAMES). */
export const Flag = {
  Write: 1 << 0,
  Readonly: 1 << 1,
  DenyOom: 1 << 2,
  Admin: 1 << 3,
  Pubsub: 1 << 4,
  Noscript: 1 << 5,
  Blocking: 1 << 6,
  Loading: 1 << 7,
  Stale: 1 << 8,
  SkipMonitor: 1 << 9,
  SkipSlowlog: 1 << 10,
  Asking: 1 << 11,
  Fast: 1 << 12,
  NoAuth: 1 << 13,
  MayReplicate: 1 << 14,
  NoAsyncLoading: 1 << 15,
  NoMulti: 1 << 16,
  AllowBusy: 1 << 17,
  MovableKeys: 1 << 18,
  NoMandatoryKeys: 1 << 19,
  /** Not shown: DEBUG and MODULE, which a setting can forbid. */
  Protected: 1 << 20,
  /** Not shown: the command touches any key (SCAN, KEYS, FLUSHALL ...), which matters to ACL key checks. */
  AllKeys: 1 << 21,
} as const;

/** Flag bit -> the name that COMMAND INFO shows, in the order in which it lists them. Flags that it does not show are missing. */
export const FLAG_NAMES: ReadonlyArray<readonly [number, string]> = [
  [Flag.Write, "write"],
  [Flag.Readonly, "readonly"],
  [Flag.DenyOom, "denyoom"],
  [Flag.Admin, "admin"],
  [Flag.Pubsub, "pubsub"],
  [Flag.Noscript, "noscript"],
  [Flag.Blocking, "blocking"],
  [Flag.Loading, "loading"],
  [Flag.Stale, "stale"],
  [Flag.SkipMonitor, "skip_monitor"],
  [Flag.SkipSlowlog, "skip_slowlog"],
  [Flag.Asking, "asking"],
  [Flag.Fast, "fast"],
  [Flag.NoAuth, "no_auth"],
  [Flag.NoMandatoryKeys, "no_mandatory_keys"],
  [Flag.NoAsyncLoading, "no_async_loading"],
  [Flag.NoMulti, "no_multi"],
  [Flag.MovableKeys, "movablekeys"],
  [Flag.AllowBusy, "allow_busy"],
];

/** ACL categories. `write`, `read`, `admin`/`dangerous`, `pubsub`, `fast`/`slow`, `blocking` follow from the flags; name the others. */
export const CATEGORIES = [
  "keyspace",
  "read",
  "write",
  "set",
  "sortedset",
  "list",
  "hash",
  "string",
  "bitmap",
  "hyperloglog",
  "geo",
  "stream",
  "pubsub",
  "admin",
  "fast",
  "slow",
  "blocking",
  "dangerous",
  "connection",
  "transaction",
  "scripting",
] as const;
export type Category = (typeof CATEGORIES)[number];

/** Command groups, as COMMAND DOCS names them. */
export type Group =
  | "generic"
  | "string"
  | "list"
  | "set"
  | "sorted-set"
  | "hash"
  | "pubsub"
  | "transactions"
  | "connection"
  | "server"
  | "scripting"
  | "hyperloglog"
  | "cluster"
  | "sentinel"
  | "geo"
  | "stream"
  | "bitmap"
  | "module";

/**
 * Where keys stand among the arguments (https://redis.io/docs/latest/develop/reference/key-specs/). `flags` are the words of the reply, such as
 * "RO access", "RW update", "OW update", "RM delete", with "insert", "not_key", "incomplete", "variable_flags".
 */
export interface KeySpec {
  flags: string;
  notes?: string;
  /** Begin at a fixed index (negative counts from the end), or after a keyword searched from `startFrom`; "unknown" when neither. */
  begin: { index: number } | { keyword: string; startFrom: number } | "unknown";
  /** A range: last key relative to the first (negative: from the end), the step, and the limit divisor; or a count argument; or "unknown". */
  find:
    | { lastKey: number; step: number; limit: number }
    | { keyNumIndex: number; firstKey: number; step: number }
    | "unknown";
}

/** The words of key spec flags, in the order in which replies list them. */
export const KEY_FLAG_NAMES: readonly string[] = [
  "RO",
  "RW",
  "OW",
  "RM",
  "access",
  "update",
  "insert",
  "delete",
  "not_key",
  "incomplete",
  "variable_flags",
];

/** One key at argument `index`. */
export function oneKey(flags: string, index = 1): KeySpec {
  return { flags, begin: { index }, find: { lastKey: 0, step: 1, limit: 0 } };
}

/** Keys from argument `index` to the last, every `step`-th. */
export function keysToEnd(flags: string, index = 1, step = 1): KeySpec {
  return { flags, begin: { index }, find: { lastKey: -1, step, limit: 0 } };
}

/** A number of keys at argument `index`, followed by that many keys. */
export function countedKeys(flags: string, index: number, step = 1): KeySpec {
  return { flags, begin: { index }, find: { keyNumIndex: 0, firstKey: 1, step } };
}

/** What a family file writes. Names are lower case; a subcommand's `name` is its own word, and its container links it in `subcommands`. */
export interface CommandLiteral<Cx = never> {
  name: string;
  /** Arguments including the name (and the subcommand's); negative: at least that many. */
  arity: number;
  flags: number;
  since: string;
  group: Group;
  /** One sentence of our own. */
  summary: string;
  complexity: string;
  categories?: readonly Category[];
  keys?: readonly KeySpec[];
  /** Argument grammar after the name, for COMMAND DOCS: see syntax.ts. Empty or absent when there are no arguments. */
  syntax?: string;
  tips?: readonly string[];
  history?: ReadonlyArray<readonly [version: string, change: string]>;
  deprecatedSince?: string;
  replacedBy?: string;
  /** "syscmd" commands are internal. */
  docFlags?: readonly ("deprecated" | "syscmd")[];
  subcommands?: readonly CommandLiteral[];
  /**
   * Finds the keys when the key specs cannot tell all of them or their flags: appends to `out`, false for arguments that make no sense.
   * The request may be one that only COMMAND GETKEYS names, so nothing but its arguments may be looked at.
   */
  getKeys?: (request: Request, out: KeyPositions) => boolean;
  /** It changes no value in place, although key specs tell otherwise: keys get another value or go, by way of the database. */
  replaces?: true;
  /** Adds the indexes of arguments that are secrets, which MONITOR and the slow log must not show. */
  redact?: (cx: Cx, indexes: Set<number>) => void;
  run?: (cx: Cx) => void;
}

/** Key positions found in a request: two parallel lists that a caller may reuse. */
export interface KeyPositions {
  /** Argument indexes. */
  indexes: number[];
  /** Key-spec flags in words, parallel to indexes. */
  flags: string[];
}

/** A command as the engine runs it: the literal, its place in the table, and its statistics. */
export class CommandSpec {
  readonly name: string;
  /** `name`, or `container|name`. */
  readonly fullName: string;
  readonly literal: CommandLiteral;
  readonly arity: number;
  readonly flags: number;
  readonly run: (cx: never) => void;
  readonly subcommands: ReadonlyMap<string, CommandSpec> | null;
  readonly parent: CommandSpec | null;
  /**
   * The keys that stand at fixed places: from argument `firstKey` to argument `lastKey` (negative: counted from the end, -1 being the last
   * argument), every `keyStep`-th. All three are 0 when no such range is known. Commands with Flag.MovableKeys may have further keys.
   */
  readonly firstKey: number;
  readonly lastKey: number;
  readonly keyStep: number;
  /** May the command change values in place? Otherwise it only puts others in their place, or deletes keys: by way of the database, which tells a snapshot. */
  readonly changesInPlace: boolean;
  /** Whether calls take constant time and are brief unless arguments or reply are long (brief-calls.ts). Subcommands are not. */
  readonly isBrief: boolean;

  calls = 0;
  failedCalls = 0;
  rejectedCalls = 0;
  /** Microseconds spent in calls. */
  usec = 0;
  /** Latency histogram, made on the first call when latency tracking is on (stats.ts). */
  histogram: Float64Array | null = null;

  constructor(literal: CommandLiteral, parent: CommandSpec | null = null) {
    this.literal = literal;
    this.parent = parent;
    this.name = literal.name;
    this.fullName = parent === null ? literal.name : `${parent.name}|${literal.name}`;
    this.arity = literal.arity;
    const range = fixedKeyRange(literal.keys ?? []);
    this.firstKey = range.first;
    this.lastKey = range.last;
    this.keyStep = range.step;
    this.flags = literal.flags | (range.movable ? Flag.MovableKeys : 0);
    this.changesInPlace = literal.replaces !== true && mayChangeInPlace(literal);
    this.run = literal.run ?? noHandler;
    this.isBrief = parent === null && isBriefCommand(literal);
    if (literal.subcommands !== undefined) {
      const map = new Map<string, CommandSpec>();
      for (const sub of literal.subcommands) map.set(sub.name, new CommandSpec(sub, this));
      this.subcommands = map;
    } else {
      this.subcommands = null;
    }
  }

  /** ACL categories, all of them, as bits by index in CATEGORIES. */
  get categories(): number {
    return categoryBits(this.literal);
  }

  /** True when `count` arguments satisfy the arity. */
  arityFits(count: number): boolean {
    return this.arity > 0 ? count === this.arity : count >= -this.arity;
  }
}

/** Is a key of these flags overwritten or removed as a whole? */
export function isReplaced(keyFlags: string): boolean {
  return keyFlags.startsWith("OW") || keyFlags.startsWith("RM");
}

/** Keys that are only read count unless there is one that is replaced: XREADGROUP and PFCOUNT change what their key specs say they read. */
function mayChangeInPlace({ keys, getKeys }: CommandLiteral): boolean {
  if (keys === undefined) return getKeys !== undefined;
  let replacesOne = false;
  for (const { flags } of keys) replacesOne ||= isReplaced(flags);
  for (const { flags } of keys) if (!isReplaced(flags) && !(replacesOne && flags.startsWith("RO"))) return true;
  return false;
}

function noHandler(): void {
  throw new Error("a container command has no handler of its own");
}

interface FixedKeyRange {
  first: number;
  last: number;
  step: number;
  /** True when the range does not tell all keys. */
  movable: boolean;
}

/**
 * The one range that covers the key specs, as the classic first/last/step triple: a single range spec stands for itself; of several, those
 * join that have step 1 and follow each other without a gap. Whatever does not fit, and every incomplete spec, makes the keys movable.
 */
function fixedKeyRange(specs: readonly KeySpec[]): FixedKeyRange {
  const range: FixedKeyRange = { first: 0, last: 0, step: 0, movable: false };
  for (const spec of specs) {
    const { begin, find } = spec;
    if (spec.flags.includes("incomplete")) range.movable = true;
    if (begin === "unknown" || !("index" in begin) || find === "unknown" || !("lastKey" in find)) {
      range.movable = true;
      continue;
    }
    const last = find.lastKey >= 0 ? begin.index + find.lastKey : find.lastKey;
    const follows = range.first === 0 || range.last === begin.index - 1;
    if (specs.length > 1 && (find.step !== 1 || !follows)) {
      range.movable = true;
      continue;
    }
    if (range.first === 0) range.first = begin.index;
    range.last = last;
    range.step = find.step;
  }
  return range;
}

function isBriefCommand({ flags, complexity, group }: CommandLiteral): boolean {
  const isConstant = (flags & Flag.Fast) !== 0 || complexity === "O(1)";
  return isConstant && (flags & Flag.Blocking) === 0 && group !== "pubsub";
}

function categoryBit(name: Category): number {
  return 1 << CATEGORIES.indexOf(name);
}

function categoryBits(literal: CommandLiteral): number {
  const flags = literal.flags;
  let bits = categoryBit((flags & Flag.Fast) !== 0 ? "fast" : "slow");
  for (const name of literal.categories ?? []) bits |= categoryBit(name);
  if ((flags & Flag.Write) !== 0) bits |= categoryBit("write");
  if ((flags & Flag.Readonly) !== 0 && literal.group !== "scripting") bits |= categoryBit("read");
  if ((flags & Flag.Admin) !== 0) bits |= categoryBit("admin") | categoryBit("dangerous");
  if ((flags & Flag.Pubsub) !== 0) bits |= categoryBit("pubsub");
  if ((flags & Flag.Blocking) !== 0) bits |= categoryBit("blocking");
  return bits;
}
