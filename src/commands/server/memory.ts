/** MEMORY: what keys and the server as a whole cost. */
import type { Ref } from "../../arena/arena.ts";
import { formatDouble } from "../../base/float.ts";
import { type Context, command } from "../../engine/context.ts";
import type { Engine } from "../../engine/engine.ts";
import { type CommandLiteral, Flag, oneKey } from "../../engine/spec/spec.ts";
import { SYNTAX } from "../../resp/errors.ts";
import { entryHasExpiry, entryKeyLength, KEY_INLINE_MAX } from "../../types/entry.ts";
import { valueType } from "../../types/value.ts";
import { writeHelp } from "../help.ts";
import { humanBytes } from "./info-section.ts";
import {
  activeBytes,
  datasetBytes,
  datasetPercent,
  expiresTableBytes,
  hasTable,
  mainTableBytes,
  overheadBytes,
  peakBytes,
  rehashingBytes,
  rehashingTables,
  residentBytes,
  tableBytes,
} from "./memory-overhead.ts";

const SAMPLES_DEFAULT = 5;
/** Mean bytes of a place in a table of keys: a bucket of 64 bytes is for nine entries. */
const SLOT_BYTES = 8;
/** Below this there is nothing to diagnose. */
const DOCTOR_USED_MIN = 5 * 1024 * 1024;
/** Clients' buffers of more than this each are large. */
const DOCTOR_CLIENT_BYTES = 200 * 1024;

const SHARDS_TIPS = ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"];

function usage(cx: Context): void {
  let samples = SAMPLES_DEFAULT;
  for (let i = 3; i < cx.argc; i += 2) {
    if (!cx.isToken(i, "samples") || i + 1 === cx.argc) throw SYNTAX;
    const count = cx.bigInteger(i + 1);
    if (count < 0n) throw SYNTAX;
    samples = Number(count);
  }
  const e = cx.lookupQuiet(2);
  if (e === 0) cx.reply.nil();
  else cx.reply.integer(keyBytes(cx, e, samples));
}

/** Bytes of a key with its value and its places in the tables, estimated from `samples` elements (0: all of them). */
function keyBytes(cx: Context, e: Ref, samples: number): number {
  const a = cx.arena;
  const keyLength = entryKeyLength(a, e);
  const keyOutside = keyLength > KEY_INLINE_MAX ? keyLength : 0;
  const slots = entryHasExpiry(a, e) ? 2 : 1;
  return a.capacity(e) + keyOutside + valueType(a, e).outsideBytes(a, e, samples) + slots * SLOT_BYTES;
}

/** One figure of MEMORY STATS: an integer, or a number with a fraction in text. */
type Figure = readonly [name: string, value: number | string];

function fraction(part: number, whole: number): string {
  return formatDouble(whole === 0 ? 0 : part / whole);
}

function firstFigures(engine: Engine): Figure[] {
  const { memory } = engine;
  return [
    ["peak.allocated", peakBytes(engine)],
    ["total.allocated", memory.usedBytes],
    ["startup.allocated", memory.startupBytes],
    ["replication.backlog", memory.part("replication-backlog")],
    ["clients.slaves", memory.part("clients-replicas")],
    ["clients.normal", memory.part("clients-normal")],
    ["cluster.links", memory.part("cluster-links")],
    ["aof.buffer", memory.part("append-only-buffer")],
    ["lua.caches", memory.part("script-caches")],
    ["functions.caches", memory.part("function-caches")],
  ];
}

function lastFigures(engine: Engine): Figure[] {
  const used = engine.memory.usedBytes;
  const active = activeBytes(engine);
  const resident = residentBytes(engine);
  const dataset = datasetBytes(engine);
  const keys = engine.keyspace.databases.reduce((sum, db) => sum + db.size, 0);
  return [
    ["overhead.db.hashtable.lut", tableBytes(engine)],
    ["overhead.db.hashtable.rehashing", rehashingBytes(engine)],
    ["overhead.total", overheadBytes(engine)],
    ["db.dict.rehashing.count", rehashingTables(engine)],
    ["keys.count", keys],
    ["keys.bytes-per-key", keys === 0 ? 0 : Math.floor(dataset / keys)],
    ["dataset.bytes", dataset],
    ["dataset.percentage", formatDouble(datasetPercent(engine))],
    ["peak.percentage", fraction(used * 100, peakBytes(engine))],
    ["allocator.allocated", used],
    ["allocator.active", active],
    ["allocator.resident", resident],
    ["allocator.muzzy", 0],
    ["allocator-fragmentation.ratio", fraction(active, used)],
    ["allocator-fragmentation.bytes", active - used],
    ["allocator-rss.ratio", fraction(resident, active)],
    ["allocator-rss.bytes", resident - active],
    ["rss-overhead.ratio", "1"],
    ["rss-overhead.bytes", 0],
    ["fragmentation", fraction(resident, used)],
    ["fragmentation.bytes", resident - used],
  ];
}

function writeFigures(cx: Context, figures: readonly Figure[]): void {
  for (const [name, value] of figures) {
    cx.reply.bulkText(name);
    if (typeof value === "number") cx.reply.integer(value);
    else cx.reply.double(value);
  }
}

function stats(cx: Context): void {
  const { engine } = cx;
  const databases = engine.keyspace.databases.filter(hasTable);
  const first = firstFigures(engine);
  const last = lastFigures(engine);
  cx.reply.map(first.length + databases.length + last.length);
  writeFigures(cx, first);
  for (const db of databases) {
    cx.reply.bulkText(`db.${db.id}`);
    cx.reply.map(2);
    writeFigures(cx, [
      ["overhead.hashtable.main", mainTableBytes(db)],
      ["overhead.hashtable.expires", expiresTableBytes(db)],
    ]);
  }
  writeFigures(cx, last);
}

/** What stands out, in words. */
function doctorReport(engine: Engine): string {
  const used = engine.memory.usedBytes;
  if (used < DOCTOR_USED_MIN) return "The server is nearly empty: there is not enough in it to say something about.\n";
  const findings: string[] = [];
  const peak = peakBytes(engine);
  const resident = residentBytes(engine);
  const active = activeBytes(engine);
  const clients = engine.memory.part("clients-normal");
  if (peak > used * 1.5)
    findings.push(
      `Peak: up to ${humanBytes(peak)} were used, now it is ${humanBytes(used)}. Memory that was in use then may still be resident and count as fragmentation.`,
    );
  if (active > used * 1.25)
    findings.push(
      `Fragmentation: ${humanBytes(active)} of blocks are taken for ${humanBytes(used)} of content. Keys that were deleted or changed their size have left gaps, which new keys of the same sizes fill.`,
    );
  if (resident > active * 1.5)
    findings.push(
      `Resident memory: the process holds ${humanBytes(resident)} for ${humanBytes(active)} that are taken. Freed memory goes back to the system bit by bit; MEMORY PURGE does it now.`,
    );
  if (clients > engine.clients.size * DOCTOR_CLIENT_BYTES)
    findings.push(
      `Clients: their buffers take ${humanBytes(clients)}. Look at CLIENT LIST for clients that read slowly, and at client-output-buffer-limit.`,
    );
  if (findings.length === 0) return "Nothing about the memory stands out.\n";
  return `${findings.map((finding) => `* ${finding}`).join("\n\n")}\n`;
}

const HELP = [
  "DOCTOR",
  "    Tell what stands out about the memory, in words.",
  "MALLOC-STATS",
  "    Tell the allocator's own statistics.",
  "PURGE",
  "    Give memory that is not used back to the system.",
  "STATS",
  "    Tell how the server's memory is used.",
  "USAGE <key> [SAMPLES <count>]",
  "    Tell the bytes that <key> and its value use. Of a value with elements, <count> are looked at",
  "    (5 when not given, all for 0).",
];

/** MEMORY. */
export const MEMORY_COMMANDS: readonly CommandLiteral[] = [
  command({
    name: "memory",
    arity: -2,
    flags: 0,
    since: "4.0.0",
    group: "server",
    summary: "The commands that tell about memory.",
    complexity: "Depends on subcommand.",
    subcommands: [
      command({
        name: "doctor",
        arity: 2,
        flags: 0,
        since: "4.0.0",
        group: "server",
        summary: "Tells what stands out about the memory, in words.",
        complexity: "O(1)",
        tips: SHARDS_TIPS,
        run(cx) {
          cx.reply.verbatim(doctorReport(cx.engine));
        },
      }),
      command({
        name: "help",
        arity: 2,
        flags: Flag.Loading | Flag.Stale,
        since: "4.0.0",
        group: "server",
        summary: "Tells how to use MEMORY.",
        complexity: "O(1)",
        run(cx) {
          writeHelp(cx, HELP);
        },
      }),
      command({
        name: "malloc-stats",
        arity: 2,
        flags: 0,
        since: "4.0.0",
        group: "server",
        summary: "Tells the allocator's own statistics.",
        complexity: "Depends on how much memory is allocated, could be slow",
        tips: SHARDS_TIPS,
        run(cx) {
          cx.reply.bulkText("Stats not supported for the current allocator");
        },
      }),
      command({
        name: "purge",
        arity: 2,
        flags: 0,
        since: "4.0.0",
        group: "server",
        summary: "Gives memory that is not used back to the system.",
        complexity: "Depends on how much memory is allocated, could be slow",
        tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
        run(cx) {
          cx.arena.purge();
          cx.reply.ok();
        },
      }),
      command({
        name: "stats",
        arity: 2,
        flags: 0,
        since: "4.0.0",
        group: "server",
        summary: "Tells how the server's memory is used.",
        complexity: "O(1)",
        tips: SHARDS_TIPS,
        run: stats,
      }),
      command({
        name: "usage",
        arity: -3,
        flags: Flag.Readonly,
        since: "4.0.0",
        group: "server",
        summary: "Estimates the memory that a key uses.",
        complexity: "O(N) where N is the number of samples.",
        keys: [oneKey("RO", 2)],
        syntax: "key:key [SAMPLES count:integer]",
        run: usage,
      }),
    ],
  }),
];
