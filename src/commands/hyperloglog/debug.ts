/** PFDEBUG and PFSELFTEST: a look inside HyperLogLogs, and a test of their arithmetic. */
import type { Ref } from "../../arena/arena.ts";
import { untilNul } from "../../base/bytes.ts";
import { type Context, command } from "../../engine/context.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { ReplyError } from "../../resp/errors.ts";
import {
  countDense,
  DENSE_BYTES,
  denseRegister,
  element,
  estimate,
  HEADER_BYTES,
  HllEncoding,
  hashElement,
  REGISTER_COUNT,
  raiseDenseRegister,
  setDenseRegister,
  writeHeader,
} from "../../struct/hyperloglog/hyperloglog.ts";
import {
  HllPayload,
  makeDense,
  opcodeBytes,
  opcodeRun,
  opcodeValue,
  raiseRegister,
} from "../../struct/hyperloglog/hyperloglog-sparse.ts";
import { ByteSpan } from "../../types/string.ts";
import { CORRUPT, countPayload, markWritten, readPayload, storePayload } from "./payload.ts";

const NO_KEY = new ReplyError("ERR The specified key does not exist");
const NOT_SPARSE = new ReplyError("ERR HLL encoding is not sparse");
const NOT_ON_OFF = new ReplyError("ERR Argument must be ON or OFF");
const REGISTER_ROUNDS = 10;
const ELEMENTS_MAX = 100_000;
/** Elements up to which the self-test insists on the sparse form. */
const SPARSE_ELEMENTS_MAX = 1000;

const span = new ByteSpan();

/** Loads the HyperLogLog of the key in argument 2 into `payload`; returns its entry. */
function load(cx: Context, payload: HllPayload): Ref {
  const e = cx.lookupWrite(2);
  if (e === 0) throw NO_KEY;
  readPayload(cx, e, span);
  markWritten(cx, e);
  payload.load(span.buf, span.at, span.length);
  return e;
}

/** Makes the key dense when it is not; true when it was not. To be propagated, but no event. */
function convert(cx: Context, e: Ref, payload: HllPayload): boolean {
  if (payload.isDense) return false;
  if (!makeDense(payload)) throw CORRUPT;
  storePayload(cx, 2, e, payload);
  cx.dirty++;
  return true;
}

function decode(payload: HllPayload): string {
  if (payload.isDense) throw NOT_SPARSE;
  const { bytes, length } = payload;
  const words: string[] = [];
  for (let p = HEADER_BYTES; p < length; p += opcodeBytes(bytes, p)) {
    const value = opcodeValue(bytes, p);
    const run = opcodeRun(bytes, p);
    if (value > 0) words.push(`v:${value},${run}`);
    else words.push(opcodeBytes(bytes, p) === 2 ? `Z:${run}` : `z:${run}`);
  }
  return words.join(" ");
}

function writeRegisters(cx: Context, payload: HllPayload): void {
  cx.reply.array(REGISTER_COUNT);
  for (let i = 0; i < REGISTER_COUNT; i++) cx.reply.integer(denseRegister(payload.bytes, 0, i));
}

function debug(cx: Context): void {
  if (cx.isToken(1, "simd")) {
    if (!cx.isToken(2, "on") && !cx.isToken(2, "off")) throw NOT_ON_OFF;
    cx.reply.status("disabled");
    return;
  }
  const payload = new HllPayload();
  const e = load(cx, payload);
  if (cx.isToken(1, "getreg")) {
    convert(cx, e, payload);
    writeRegisters(cx, payload);
  } else if (cx.isToken(1, "decode")) {
    cx.reply.bulkText(decode(payload));
  } else if (cx.isToken(1, "encoding")) {
    cx.reply.status(payload.isDense ? "dense" : "sparse");
  } else if (cx.isToken(1, "todense")) {
    cx.reply.integer(convert(cx, e, payload) ? 1 : 0);
  } else {
    throw new ReplyError(`ERR Unknown PFDEBUG subcommand '${untilNul(cx.text(1))}'`);
  }
}

/** Sets registers at random and reads them back; the text of a failure, or null. */
function testRegisters(cx: Context, dense: Uint8Array): string | null {
  const { prng } = cx.engine.keyspace;
  const model = new Uint8Array(REGISTER_COUNT);
  for (let round = 0; round < REGISTER_ROUNDS; round++) {
    for (let i = 0; i < REGISTER_COUNT; i++) {
      model[i] = prng.below(64);
      setDenseRegister(dense, 0, i, model[i]);
    }
    for (let i = 0; i < REGISTER_COUNT; i++) {
      const value = denseRegister(dense, 0, i);
      if (value !== model[i]) return `Register ${i} should be ${model[i]} but is ${value}`;
    }
  }
  return null;
}

/** Adds distinct elements to a dense and to a sparse HyperLogLog and looks at the estimates at every power of ten; the text of a failure, or null. */
function testEstimates(cx: Context, dense: Uint8Array): string | null {
  const { prng } = cx.engine.keyspace;
  const sparseMax = cx.engine.config.values.hllSparseMaxBytes;
  const histogram = new Int32Array(64);
  const sparse = new HllPayload();
  sparse.clear();
  const bytes = new Uint8Array(8);
  const words = new Int32Array(bytes.buffer);
  const seed = prng.below(0x7fffffff);
  words[1] = prng.below(0x7fffffff);
  let checkpoint = 1;
  for (let count = 1; count <= ELEMENTS_MAX; count++) {
    words[0] = count ^ seed;
    hashElement(bytes, 0, 8);
    raiseDenseRegister(dense, 0, element.register, element.run);
    raiseRegister(sparse, element.register, element.run, sparseMax);
    if (count !== checkpoint) continue;
    checkpoint *= 10;
    if (count < Math.min(SPARSE_ELEMENTS_MAX, sparseMax / 2) && sparse.isDense) return "sparse encoding not used";
    histogram.fill(0);
    countDense(histogram, dense, 0);
    const cardinality = estimate(histogram);
    countPayload(histogram, sparse);
    if (estimate(histogram) !== cardinality) return "dense/sparse disagree";
    const error = Math.abs(count - cardinality);
    const errorMax = count === 10 ? 1 : Math.ceil((1.04 / Math.sqrt(REGISTER_COUNT)) * 6 * count);
    if (error > errorMax) return `Too big error. card:${count} abserr:${error}`;
  }
  return null;
}

function selfTest(cx: Context): void {
  const dense = new Uint8Array(DENSE_BYTES);
  const failure = testRegisters(cx, dense);
  writeHeader(dense, 0, HllEncoding.Dense);
  dense.fill(0, HEADER_BYTES);
  const text = failure ?? testEstimates(cx, dense);
  if (text === null) cx.reply.ok();
  else throw new ReplyError(`ERR TESTFAILED ${text}`);
}

export const HLL_DEBUG_COMMANDS = [
  command({
    name: "pfdebug",
    arity: 3,
    flags: Flag.Write | Flag.DenyOom | Flag.Admin,
    since: "2.8.9",
    group: "hyperloglog",
    summary: "Shows the registers or the encoding of a HyperLogLog, or converts it. For tests of the server.",
    complexity: "N/A",
    categories: ["hyperloglog"],
    keys: [oneKey("RW access", 2)],
    docFlags: ["syscmd"],
    syntax: "subcommand key:key",
    run: debug,
  }),
  command({
    name: "pfselftest",
    arity: 1,
    flags: Flag.Admin,
    since: "2.8.9",
    group: "hyperloglog",
    summary: "Tests the registers and the estimates of HyperLogLogs. For tests of the server.",
    complexity: "N/A",
    categories: ["hyperloglog"],
    docFlags: ["syscmd"],
    run: selfTest,
  }),
];
