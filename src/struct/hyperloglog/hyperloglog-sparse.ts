/**
 * The sparse form of a HyperLogLog (layout: hyperloglog.ts). What a register is set to, how opcodes are split and which neighbours are merged
 * afterwards follows Redis step by step, so that equal commands leave equal bytes.
 */
import {
  DENSE_BYTES,
  HEADER_BYTES,
  type Histogram,
  HllEncoding,
  REGISTER_COUNT,
  raiseDenseRegister,
  setDenseRegister,
  staleCache,
  writeHeader,
} from "./hyperloglog.ts";

const VALUE_BIT = 128;
const LONG_ZEROS_BIT = 64;
const VALUE_MAX = 32;
const VALUE_RUN_MAX = 4;
const ZEROS_RUN_MAX = 64;
/** How many opcodes are looked at for neighbours to merge after a change. */
const MERGE_SCAN = 5;
/** What one change can add: an opcode of two bytes becomes five. */
const GROWTH_MAX = 3;

/** A payload of its own that may grow: `length` bytes at the start of `bytes`, which is long enough for the dense form. */
export class HllPayload {
  bytes = new Uint8Array(DENSE_BYTES + 16);
  length = 0;

  /** Becomes a copy of a payload. */
  load(buf: Uint8Array, at: number, length: number): void {
    if (length + GROWTH_MAX + 1 > this.bytes.length) this.bytes = new Uint8Array(length * 2);
    this.bytes.set(buf.subarray(at, at + length));
    this.length = length;
    this.bytes[length] = 0;
  }

  /** Becomes an empty HyperLogLog in sparse form: one opcode. */
  clear(): void {
    writeHeader(this.bytes, 0, HllEncoding.Sparse);
    this.bytes[HEADER_BYTES] = LONG_ZEROS_BIT | ((REGISTER_COUNT - 1) >> 8);
    this.bytes[HEADER_BYTES + 1] = (REGISTER_COUNT - 1) & 255;
    this.length = HEADER_BYTES + 2;
  }

  get isDense(): boolean {
    return this.bytes[4] === HllEncoding.Dense;
  }

  /** Lets go of a buffer that a giant (and surely corrupt) payload made large. */
  trim(): void {
    if (this.bytes.length > 4 * DENSE_BYTES) this.bytes = new Uint8Array(DENSE_BYTES + 16);
  }
}

/** Registers that the opcode at `p` covers. */
export function opcodeRun(buf: Uint8Array, p: number): number {
  const byte = buf[p];
  if ((byte & VALUE_BIT) !== 0) return (byte & 3) + 1;
  return (byte & LONG_ZEROS_BIT) !== 0 ? (((byte & 63) << 8) | buf[p + 1]) + 1 : (byte & 63) + 1;
}

/** Bytes of the opcode at `p`. */
export function opcodeBytes(buf: Uint8Array, p: number): number {
  return (buf[p] & (VALUE_BIT | LONG_ZEROS_BIT)) === LONG_ZEROS_BIT ? 2 : 1;
}

/** The value of the registers that the opcode at `p` covers. */
export function opcodeValue(buf: Uint8Array, p: number): number {
  return (buf[p] & VALUE_BIT) !== 0 ? ((buf[p] >> 2) & 31) + 1 : 0;
}

function valueOpcode(value: number, run: number): number {
  return VALUE_BIT | ((value - 1) << 2) | (run - 1);
}

/** Adds the registers to a histogram of 64 values. False when the opcodes do not cover the registers exactly. */
export function countSparse(histogram: Histogram, buf: Uint8Array, at: number, length: number): boolean {
  const end = at + length;
  let covered = 0;
  for (let p = at + HEADER_BYTES; p < end; p += opcodeBytes(buf, p)) {
    const run = opcodeRun(buf, p);
    covered += run;
    if (covered > REGISTER_COUNT) return false;
    histogram[opcodeValue(buf, p)] += run;
  }
  return covered === REGISTER_COUNT;
}

/** Raises every register of `registers` (a byte each) to that of a sparse payload. False when it is corrupt; some may have risen then. */
export function mergeSparse(registers: Uint8Array, buf: Uint8Array, at: number, length: number): boolean {
  const end = at + length;
  let register = 0;
  for (let p = at + HEADER_BYTES; p < end; p += opcodeBytes(buf, p)) {
    const next = register + opcodeRun(buf, p);
    if (next > REGISTER_COUNT) return false;
    const value = opcodeValue(buf, p);
    for (; register < next; register++) if (value > registers[register]) registers[register] = value;
  }
  return register === REGISTER_COUNT;
}

const denseCopy = new Uint8Array(DENSE_BYTES);

/** Makes a sparse payload dense, keeping its header. False, and no change, when it is corrupt. */
export function makeDense(payload: HllPayload): boolean {
  const { bytes, length } = payload;
  denseCopy.set(bytes.subarray(0, HEADER_BYTES));
  denseCopy.fill(0, HEADER_BYTES);
  denseCopy[4] = HllEncoding.Dense;
  let register = 0;
  for (let p = HEADER_BYTES; p < length; p += opcodeBytes(bytes, p)) {
    const next = register + opcodeRun(bytes, p);
    if (next > REGISTER_COUNT) return false;
    const value = opcodeValue(bytes, p);
    if (value === 0) register = next;
    else for (; register < next; register++) setDenseRegister(denseCopy, 0, register, value);
  }
  if (register !== REGISTER_COUNT) return false;
  bytes.set(denseCopy);
  payload.length = DENSE_BYTES;
  return true;
}

/** What raiseRegister found. */
export const Raised = { Corrupt: -1, No: 0, Yes: 1 } as const;

/**
 * Raises a register to `run`. A sparse payload becomes dense when the run is too long for its opcodes, or when it would become longer than
 * `sparseMax` bytes. Returns a value of Raised.
 */
export function raiseRegister(payload: HllPayload, register: number, run: number, sparseMax: number): number {
  if (payload.isDense) {
    if (!raiseDenseRegister(payload.bytes, 0, register, run)) return Raised.No;
    staleCache(payload.bytes, 0);
    return Raised.Yes;
  }
  if (run > VALUE_MAX) return promote(payload, register, run);
  const { bytes, length } = payload;
  let first = 0;
  let previous = -1;
  let covers = 0;
  let p = HEADER_BYTES;
  while (p < length) {
    covers = opcodeRun(bytes, p);
    if (register < first + covers) break;
    previous = p;
    p += opcodeBytes(bytes, p);
    first += covers;
  }
  if (covers === 0 || p >= length) return Raised.Corrupt;
  const value = opcodeValue(bytes, p);
  if (value >= run) return Raised.No;
  if (covers === 1 && opcodeBytes(bytes, p) === 1) {
    bytes[p] = valueOpcode(run, 1);
  } else {
    const size = split(value, register - first, run, first + covers - 1 - register);
    const growth = size - opcodeBytes(bytes, p);
    if (growth > 0 && length + growth > sparseMax) return promote(payload, register, run);
    splice(payload, p, size, growth);
  }
  mergeNeighbours(payload, previous < 0 ? HEADER_BYTES : previous);
  staleCache(payload.bytes, 0);
  return Raised.Yes;
}

function promote(payload: HllPayload, register: number, run: number): number {
  if (!makeDense(payload)) return Raised.Corrupt;
  raiseDenseRegister(payload.bytes, 0, register, run);
  return Raised.Yes;
}

/** The opcodes that replace one: at most five bytes. */
const sequence = new Uint8Array(5);

/** Fills `sequence` with `before` registers of the old value, one of `run`, and `after` of the old value; returns its length. */
function split(value: number, before: number, run: number, after: number): number {
  let n = writeRun(0, value, before);
  sequence[n++] = valueOpcode(run, 1);
  n = writeRun(n, value, after);
  return n;
}

function writeRun(at: number, value: number, run: number): number {
  if (run === 0) return at;
  if (value > 0) {
    sequence[at] = valueOpcode(value, run);
    return at + 1;
  }
  if (run <= ZEROS_RUN_MAX) {
    sequence[at] = run - 1;
    return at + 1;
  }
  sequence[at] = LONG_ZEROS_BIT | ((run - 1) >> 8);
  sequence[at + 1] = (run - 1) & 255;
  return at + 2;
}

/** Puts the `size` bytes of `sequence` in place of the opcode at `p`, which is `growth` bytes shorter. */
function splice(payload: HllPayload, p: number, size: number, growth: number): void {
  if (payload.length + GROWTH_MAX + 1 > payload.bytes.length) payload.load(payload.bytes, 0, payload.length);
  const { bytes } = payload;
  bytes.copyWithin(p + size, p + size - growth, payload.length);
  for (let i = 0; i < size; i++) bytes[p + i] = sequence[i];
  payload.length += growth;
  bytes[payload.length] = 0;
}

/** Joins neighbours of equal value among the opcodes from `p` on. */
function mergeNeighbours(payload: HllPayload, p: number): void {
  const { bytes } = payload;
  for (let scan = 0; scan < MERGE_SCAN && p < payload.length; scan++) {
    const value = opcodeValue(bytes, p);
    if (value > 0 && p + 1 < payload.length && opcodeValue(bytes, p + 1) === value) {
      const run = opcodeRun(bytes, p) + opcodeRun(bytes, p + 1);
      if (run <= VALUE_RUN_MAX) {
        bytes[p] = valueOpcode(value, run);
        bytes.copyWithin(p + 1, p + 2, payload.length);
        payload.length--;
        bytes[payload.length] = 0;
        continue;
      }
    }
    p += opcodeBytes(bytes, p);
  }
}
