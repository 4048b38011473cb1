/** PFADD, PFCOUNT and PFMERGE: HyperLogLogs, which are strings. A sparse one is changed in a copy, a dense one where it stands. */
import type { Ref } from "../../arena/arena.ts";
import { type Context, command } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { Flag, keysToEnd, oneKey } from "../../engine/spec/spec.ts";
import {
  element,
  estimate,
  HllEncoding,
  hashElement,
  packDense,
  REGISTER_COUNT,
  raiseDenseRegister,
  readCache,
  staleCache,
  writeCache,
} from "../../struct/hyperloglog/hyperloglog.ts";
import { HllPayload, makeDense, Raised, raiseRegister } from "../../struct/hyperloglog/hyperloglog-sparse.ts";
import { ByteSpan } from "../../types/string.ts";
import { HLL_DEBUG_COMMANDS } from "./debug.ts";
import { CORRUPT, countPayload, markWritten, mergePayload, readPayload, storePayload } from "./payload.ts";

const span = new ByteSpan();
const payload = new HllPayload();
const registers = new Uint8Array(REGISTER_COUNT);
const histogram = new Int32Array(64);
const cached = { low: 0, high: 0 };

function add(cx: Context): void {
  const e = cx.lookupWrite(1);
  let updates = 0;
  if (e !== 0) {
    readPayload(cx, e, span);
    updates = span.buf[span.at + 4] === HllEncoding.Dense ? addInPlace(cx) : addToCopy(cx, e);
  } else {
    updates = addToCopy(cx, 0);
  }
  if (updates > 0) {
    cx.changed(1, Event.String, "pfadd");
    cx.dirty += updates - 1;
  }
  cx.reply.integer(updates > 0 ? 1 : 0);
}

/** Adds the elements to the dense payload in `span`; the number of registers that rose. */
function addInPlace(cx: Context): number {
  const { buf, at } = span;
  let updates = 0;
  for (let i = 2; i < cx.argc; i++) {
    hashElement(cx.buf, cx.start[i], cx.length[i]);
    if (raiseDenseRegister(buf, at, element.register, element.run)) updates++;
  }
  if (updates > 0) staleCache(buf, at);
  return updates;
}

/** Adds the elements to a copy of the payload in `span` (or to a new one) and stores it when it changed; the number of changes, a new key being one. */
function addToCopy(cx: Context, e: Ref): number {
  const sparseMax = cx.engine.config.values.hllSparseMaxBytes;
  let updates = e === 0 ? 1 : 0;
  if (e === 0) {
    payload.clear();
  } else {
    markWritten(cx, e);
    payload.load(span.buf, span.at, span.length);
  }
  for (let i = 2; i < cx.argc; i++) {
    hashElement(cx.buf, cx.start[i], cx.length[i]);
    const raised = raiseRegister(payload, element.register, element.run, sparseMax);
    if (raised === Raised.Corrupt) throw CORRUPT;
    updates += raised;
  }
  if (updates > 0) {
    staleCache(payload.bytes, 0);
    storePayload(cx, 1, e, payload);
  }
  payload.trim();
  return updates;
}

/** PFCOUNT of one key, whose cardinality is kept with it until it changes. */
function countOne(cx: Context): void {
  const e = cx.lookupRead(1);
  if (e === 0) {
    cx.reply.integer(0);
    return;
  }
  readPayload(cx, e, span);
  markWritten(cx, e);
  if (readCache(span.buf, span.at, cached)) {
    cx.reply.int64(cached.low, cached.high);
    return;
  }
  payload.load(span.buf, span.at, span.length);
  countPayload(histogram, payload);
  const cardinality = estimate(histogram);
  writeCache(span.buf, span.at, cardinality);
  // The value changed, although nobody asked for it: replicas and watchers are told, but there is no event.
  cx.changed(1, 0, "");
  payload.trim();
  cx.reply.integer(cardinality);
}

/** Raises `registers` to those of the keys in the arguments from 1 on. True when one of them is dense. */
function mergeKeys(cx: Context): boolean {
  let anyDense = false;
  registers.fill(0);
  for (let i = 1; i < cx.argc; i++) {
    const e = cx.lookupRead(i);
    if (e === 0) continue;
    readPayload(cx, e, span);
    payload.load(span.buf, span.at, span.length);
    if (payload.isDense) anyDense = true;
    mergePayload(registers, payload);
    payload.trim();
  }
  return anyDense;
}

function countUnion(cx: Context): void {
  mergeKeys(cx);
  histogram.fill(0);
  for (let i = 0; i < REGISTER_COUNT; i++) histogram[registers[i]]++;
  cx.reply.integer(estimate(histogram));
}

function merge(cx: Context): void {
  const toDense = mergeKeys(cx);
  const sparseMax = cx.engine.config.values.hllSparseMaxBytes;
  const e = cx.lookupWrite(1);
  if (e === 0) {
    payload.clear();
  } else {
    readPayload(cx, e, span);
    payload.load(span.buf, span.at, span.length);
  }
  if (toDense && !payload.isDense && !makeDense(payload)) throw CORRUPT;
  if (payload.isDense) {
    packDense(payload.bytes, 0, registers);
  } else {
    for (let i = 0; i < REGISTER_COUNT; i++) {
      if (registers[i] !== 0) raiseRegister(payload, i, registers[i], sparseMax);
    }
  }
  staleCache(payload.bytes, 0);
  storePayload(cx, 1, e, payload);
  cx.changed(1, Event.String, "pfadd");
  cx.reply.ok();
}

export const HYPERLOGLOG_COMMANDS = [
  command({
    name: "pfadd",
    arity: -2,
    flags: Flag.Write | Flag.DenyOom | Flag.Fast,
    since: "2.8.9",
    group: "hyperloglog",
    summary: "Adds elements to a HyperLogLog; creates the key when it does not exist.",
    complexity: "O(1) for each element.",
    categories: ["hyperloglog"],
    keys: [oneKey("RW insert")],
    syntax: "key:key [element ...]",
    run: add,
  }),
  command({
    name: "pfcount",
    arity: -2,
    flags: Flag.Readonly | Flag.MayReplicate,
    since: "2.8.9",
    group: "hyperloglog",
    summary: "Estimates how many different elements were added to one HyperLogLog, or to several together.",
    complexity: "O(1) for one key, which mostly knows its answer; O(N) with a large constant for N keys.",
    categories: ["hyperloglog"],
    keys: [
      {
        ...keysToEnd("RW access"),
        notes: "RW because it may change the internal representation of the key, and propagate to replicas",
      },
    ],
    syntax: "key:key ...",
    run(cx) {
      if (cx.argc === 2) countOne(cx);
      else countUnion(cx);
    },
  }),
  command({
    name: "pfmerge",
    arity: -2,
    flags: Flag.Write | Flag.DenyOom,
    since: "2.8.9",
    group: "hyperloglog",
    summary: "Merges HyperLogLogs into the first of them; creates that key when it does not exist.",
    complexity: "O(N) with a large constant for N keys.",
    categories: ["hyperloglog"],
    keys: [oneKey("RW access insert"), keysToEnd("RO access", 2)],
    syntax: "destkey:key [sourcekey:key ...]",
    run: merge,
  }),
  ...HLL_DEBUG_COMMANDS,
];
