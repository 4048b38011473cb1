/** Setting types with a grammar of their own. Their values are never changed in place, only replaced as a whole. */
import { untilNul } from "../../base/bytes.ts";
import { quoteArgument } from "../line.ts";
import { formatMemory, parseDecimal, parseLooseInteger, parseMemory } from "../number-text.ts";
import { type ParseContext, Refusal, type RewriteLine, type SettingType } from "./setting.ts";

const WRONG_COUNT = "wrong number of arguments";

/** Most addresses that `bind` takes. */
const BIND_ADDRESSES_MAX = 16;

/** A point at which to save: at least `changes` changes and `seconds` seconds since the last save. */
export interface SavePoint {
  readonly seconds: number;
  readonly changes: number;
}

function parseSavePoints(args: readonly string[]): readonly SavePoint[] | null {
  if (args.length % 2 !== 0) return null;
  const points: SavePoint[] = [];
  for (let i = 0; i < args.length; i += 2) {
    const seconds = parseLooseInteger(args[i]);
    const changes = parseLooseInteger(args[i + 1]);
    if (seconds === null || changes === null || seconds < 1n || changes < 0n) return null;
    points.push({ seconds: Number(seconds), changes: Number(changes) });
  }
  return points;
}

function formatSavePoints(points: readonly SavePoint[]): string {
  return points.map((point) => `${point.seconds} ${point.changes}`).join(" ");
}

/** `save <seconds> <changes> ...`. The first line of a config file replaces the default, later lines add; "" clears. */
export function savePoints(initial: readonly SavePoint[]): SettingType<readonly SavePoint[], readonly SavePoint[]> {
  return {
    multiple: true,
    initial: () => initial,
    parse: (args, current, context) => {
      if (args.length === 0 || (args.length === 1 && args[0] === "")) {
        return args.length === 0 && context.appending ? current : [];
      }
      const points = parseSavePoints(args);
      if (points === null) return new Refusal("Invalid save parameters");
      return context.appending ? [...current, ...points] : points;
    },
    format: formatSavePoints,
    view: (raw) => raw,
    lines: (name, raw) => [{ text: `${name} ${raw.length === 0 ? '""' : formatSavePoints(raw)}`, force: true }],
  };
}

/** Limits of one class of clients, bytes; 0 is no limit. A client is closed past `hard`, or after `softSeconds` past `soft`. */
export interface OutputBufferLimit {
  readonly hard: number;
  readonly soft: number;
  readonly softSeconds: number;
}

/** The classes of clients that have limits. */
export type OutputBufferClass = "normal" | "replica" | "pubsub";

/** Limits of all classes. */
export type OutputBufferLimits = Readonly<Record<OutputBufferClass, OutputBufferLimit>>;

const CLASSES: readonly OutputBufferClass[] = ["normal", "replica", "pubsub"];
const CLASS_NAMES: Readonly<Record<string, OutputBufferClass>> = {
  normal: "normal",
  slave: "replica",
  replica: "replica",
  pubsub: "pubsub",
};

function parseLimit(hardText: string, softText: string, secondsText: string): OutputBufferLimit | null {
  const hard = parseMemory(hardText);
  const soft = parseMemory(softText);
  const seconds = parseLooseInteger(secondsText);
  if (hard === null || soft === null || seconds === null || seconds < 0n) return null;
  return { hard: Number(hard), soft: Number(soft), softSeconds: Number(seconds) };
}

function sameLimit(a: OutputBufferLimit, b: OutputBufferLimit): boolean {
  return a.hard === b.hard && a.soft === b.soft && a.softSeconds === b.softSeconds;
}

function limitLine(
  name: string,
  clientClass: OutputBufferClass,
  limit: OutputBufferLimit,
  original: OutputBufferLimit,
): RewriteLine {
  const hard = formatMemory(BigInt(limit.hard));
  const soft = formatMemory(BigInt(limit.soft));
  return { text: `${name} ${clientClass} ${hard} ${soft} ${limit.softSeconds}`, force: !sameLimit(limit, original) };
}

/** `client-output-buffer-limit <class> <hard> <soft> <seconds> ...`; classes that are not named keep their limits. */
export function outputBufferLimits(initial: OutputBufferLimits): SettingType<OutputBufferLimits, OutputBufferLimits> {
  const refuse = (what: string): Refusal => new Refusal(`${what} buffer limit configuration.`);
  return {
    multiple: true,
    initial: () => initial,
    parse: (args, current) => {
      if (args.length % 4 !== 0) return refuse("Wrong number of arguments in");
      const changed: Partial<Record<OutputBufferClass, OutputBufferLimit>> = {};
      for (let i = 0; i < args.length; i += 4) {
        const word = args[i].toLowerCase();
        if (!Object.hasOwn(CLASS_NAMES, word)) return refuse("Invalid client class specified in");
        const limit = parseLimit(args[i + 1], args[i + 2], args[i + 3]);
        if (limit === null) return refuse("Error in hard, soft or soft_seconds setting in");
        changed[CLASS_NAMES[word]] = limit;
      }
      return { ...current, ...changed };
    },
    // CONFIG GET still says "slave" in both servers.
    format: (raw) =>
      CLASSES.map((name) => {
        const { hard, soft, softSeconds } = raw[name];
        return `${name === "replica" ? "slave" : name} ${BigInt(hard)} ${BigInt(soft)} ${softSeconds}`;
      }).join(" "),
    view: (raw) => raw,
    lines: (name, raw, original) => CLASSES.map((entry) => limitLine(name, entry, raw[entry], original[entry])),
  };
}

/** `oom-score-adj-values <primary> <replica> <child>`, each from -2000 to 2000. */
export function oomScores(initial: readonly number[]): SettingType<readonly number[], readonly number[]> {
  return {
    multiple: true,
    initial: () => initial,
    parse: (args, _current, context) => {
      if (args.length !== initial.length) return new Refusal(WRONG_COUNT);
      const scores: number[] = [];
      for (const arg of args) {
        const score = parseLooseInteger(arg);
        if (score === null || score < -2000n || score > 2000n) {
          return new Refusal("Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
        }
        scores.push(Number(score));
      }
      if (scores[1] < scores[0] || scores[2] < scores[1]) {
        context.warn(
          "oom-score-adj-values that decrease from left to right may be refused to a process without privileges.",
        );
      }
      return scores;
    },
    format: (raw) => raw.join(" "),
    view: (raw) => raw,
    lines: (name, raw, original) => [{ text: `${name} ${raw.join(" ")}`, force: raw.join() !== original.join() }],
  };
}

/** Bits of `notify-keyspace-events`. */
export const NotifyFlag = {
  Keyspace: 1 << 0, // K
  Keyevent: 1 << 1, // E
  Generic: 1 << 2, // g
  String: 1 << 3, // $
  List: 1 << 4, // l
  Set: 1 << 5, // s
  Hash: 1 << 6, // h
  Zset: 1 << 7, // z
  Expired: 1 << 8, // x
  Evicted: 1 << 9, // e
  Stream: 1 << 10, // t
  KeyMiss: 1 << 11, // m, not part of A
  Module: 1 << 13, // d
  New: 1 << 14, // n, not part of A
  Overwritten: 1 << 15, // o, not part of A
  TypeChanged: 1 << 16, // c, not part of A
  /** A: every class but key misses, new, overwritten and type-changed keys. */
  All: 0x27fc,
} as const;

/** Classes in the order in which CONFIG GET shows them; those of `A` stand together at the front. */
const NOTIFY_CLASSES: readonly (readonly [string, number])[] = [
  ["g", NotifyFlag.Generic],
  ["$", NotifyFlag.String],
  ["l", NotifyFlag.List],
  ["s", NotifyFlag.Set],
  ["h", NotifyFlag.Hash],
  ["z", NotifyFlag.Zset],
  ["x", NotifyFlag.Expired],
  ["e", NotifyFlag.Evicted],
  ["t", NotifyFlag.Stream],
  ["d", NotifyFlag.Module],
  ["n", NotifyFlag.New],
  ["o", NotifyFlag.Overwritten],
  ["c", NotifyFlag.TypeChanged],
  ["K", NotifyFlag.Keyspace],
  ["E", NotifyFlag.Keyevent],
  ["m", NotifyFlag.KeyMiss],
];

function parseNotifyFlags(text: string): number | null {
  let flags = 0;
  for (const char of text) {
    const found = NOTIFY_CLASSES.find((entry) => entry[0] === char);
    if (found === undefined && char !== "A") return null;
    flags |= found === undefined ? NotifyFlag.All : found[1];
  }
  return flags;
}

function formatNotifyFlags(flags: number, covered: number): string {
  const all = (flags & NotifyFlag.All) === NotifyFlag.All;
  const rest = all ? flags & ~covered : flags;
  return (
    (all ? "A" : "") +
    NOTIFY_CLASSES.filter(([, bit]) => (rest & bit) !== 0)
      .map(([char]) => char)
      .join("")
  );
}

/** CONFIG GET: once all of A is set, Redis does not show "n", "o" and "c" even when they are on. */
function showNotifyFlags(flags: number): string {
  return formatNotifyFlags(flags, NotifyFlag.All | NotifyFlag.New | NotifyFlag.Overwritten | NotifyFlag.TypeChanged);
}

/** `notify-keyspace-events <letters>`; the view is `NotifyFlag` bits. */
export function notifyFlags(): SettingType<number, number> {
  return {
    multiple: false,
    initial: () => 0,
    parse: (args) => {
      const flags = parseNotifyFlags(untilNul(args[0]));
      return flags ?? new Refusal("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
    },
    format: showNotifyFlags,
    view: (raw) => raw,
    lines: (name, raw) => {
      return [{ text: `${name} ${quoteArgument(formatNotifyFlags(raw, NotifyFlag.All))}`, force: raw !== 0 }];
    },
  };
}

/** `bind <address> ...`. A leading "-" on an address means: go on without it when it is not available. */
export function bindAddresses(initial: readonly string[]): SettingType<readonly string[], readonly string[]> {
  return {
    multiple: true,
    initial: () => initial,
    parse: (args) => {
      if (args.length > BIND_ADDRESSES_MAX) return new Refusal("Too many bind addresses specified.");
      return args.length === 1 && args[0] === "" ? [] : [...args];
    },
    format: (raw) => raw.join(" "),
    view: (raw) => raw,
    lines: (name, raw, original) => {
      if (raw.join(" ") === original.join(" ")) return [];
      return [{ text: `${name} ${raw.length === 0 ? '""' : raw.join(" ")}`, force: true }];
    },
  };
}

/** Address of the server to replicate from. */
export interface PrimaryAddress {
  readonly host: string;
  readonly port: number;
}

function parsePrimary(args: readonly string[], context: ParseContext): PrimaryAddress | null | Refusal {
  if (args.length !== 2) return new Refusal(WRONG_COUNT);
  if (args[0].toLowerCase() === "no" && args[1].toLowerCase() === "one") return null;
  const port = parseLooseInteger(args[1]);
  if (port === null || port < 0n || port > 65535n)
    return new Refusal(`Invalid ${context.personality.primaryWord} port`);
  return { host: args[0], port: Number(port) };
}

/** `replicaof <host> <port>` or `replicaof no one`; null when this server is nobody's replica. */
export function primaryAddress(): SettingType<PrimaryAddress | null, PrimaryAddress | null> {
  const format = (raw: PrimaryAddress | null): string => (raw === null ? "" : `${raw.host} ${raw.port}`);
  return {
    multiple: true,
    initial: () => null,
    parse: (args, _current, context) => parsePrimary(args, context),
    format,
    view: (raw) => raw,
    lines: (name, raw, _original, context) => {
      if (raw === null || context.clusterEnabled) return [];
      return [{ text: `${name} ${format(raw)}`, force: true }];
    },
  };
}

function formatPercentile(value: number): string {
  return value.toFixed(6).replace(/\.?0+$/, "");
}

/** `latency-tracking-info-percentiles <p> ...`, each from 0 to 100; "" for none. */
export function percentiles(initial: readonly number[]): SettingType<readonly number[], readonly number[]> {
  const format = (raw: readonly number[]): string => raw.map(formatPercentile).join(" ");
  return {
    multiple: true,
    initial: () => initial,
    parse: (args) => {
      const values: number[] = [];
      for (const arg of args.length === 1 && args[0] === "" ? [] : args) {
        const value = parseDecimal(arg);
        if (value === null) return new Refusal("Invalid latency-tracking-info-percentiles parameters");
        if (value < 0 || value > 100) {
          return new Refusal("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]");
        }
        values.push(value);
      }
      return values;
    },
    format,
    view: (raw) => raw,
    lines: (name, raw) => [{ text: `${name} ${raw.length === 0 ? '""' : format(raw)}`, force: true }],
  };
}

/**
 * `dir <path>`: parsing changes the working directory, since the lines that follow may use relative paths. The value is the
 * absolute path of where that led; the config file always gets it.
 */
export function workingDirectory(): SettingType<string, string> {
  return {
    multiple: false,
    initial: (_personality, host) => host.cwd(),
    parse: (args, _current, context) => {
      const path = untilNul(args[0]);
      if (path === "") return new Refusal("dir can't be empty");
      const error = context.host.chdir(path);
      return error === null ? context.host.cwd() : new Refusal(error);
    },
    restore: (raw, host) => {
      host.chdir(raw);
    },
    format: (raw) => raw,
    view: (raw) => raw,
    lines: (name, raw) => [{ text: `${name} ${quoteArgument(raw)}`, force: true }],
  };
}
