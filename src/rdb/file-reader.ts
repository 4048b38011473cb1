/**
 * Reads an RDB file that comes in pieces. Each step reads whole elements; one whose bytes have not all come is read again after the next feed().
 */
import type { Arena, Ref } from "../arena/arena.ts";
import { copyBytes, copyOf, latin1 } from "../base/bytes.ts";
import type { Crc64 } from "../base/crc64.ts";
import { int64High, int64Low } from "../base/int64.ts";
import { entryHasExpiry, setEntryExpiry } from "../types/entry.ts";
import { entryDiscard, entryMove } from "../types/value.ts";
import { Fault, RdbError } from "./error.ts";
import { CHECKSUM_VERSION, isReadableVersion, isValueType, ModuleOpcode, Opcode, RdbType } from "./format.ts";
import { RdbInput, STARVED, StringSlot } from "./input.ts";
import { moduleName, skipModulePart } from "./module-data.ts";
import { IN_STEPS, type ReadingLimits, type TypeReader } from "./value.ts";
import { typeReaders } from "./value-reader.ts";

/** Is told of what a file holds. */
export interface RdbHandler {
  version(version: number): void;
  /** A fact; the value is the callee's. */
  aux(name: string, value: Uint8Array): void;
  selectDb(id: number): void;
  resizeDb(size: number, expiresSize: number): void;
  functionLibrary(code: Uint8Array): void;
  /** Keys that key() is about to be called for, in this order: the first `count` of `entries`. Whoever has this gets them later than they are read, several at a time. */
  prepare?(entries: Int32Array, count: number): void;
  /** A complete entry, in no dict yet, which is the callee's; its expiry in ms or -1, and how it was used (-1: not told). */
  key(e: Ref, expiryMs: number, idleSeconds: number, frequency: number): void;
  /** A collection without elements was passed over. */
  emptyKey(key: Uint8Array): void;
  /** Data of a module, of which only the name is known, was passed over. */
  moduleAux?(name: string): void;
  /** A key is to come, of an RDB type; told again when its bytes came too late. */
  keyType?(type: number): void;
  /** A key begins. The bytes are the callee's. */
  keyBegins?(key: Uint8Array): void;
  /** The value of a module was passed over; the expiry is that of its key. */
  moduleValue?(expiryMs: number): void;
  /** The checksum was looked at: it is right, or the file has none. */
  checksum?(isPresent: boolean): void;
}

/** What a reader is about to read. */
export type Reading =
  | "start"
  | "read-type"
  | "read-expire"
  | "read-key"
  | "read-object-value"
  | "check-sum"
  | "read-len"
  | "read-aux"
  | "read-module-aux"
  | "read-functions";

export interface RdbReaderOptions {
  readonly checkChecksum: boolean;
  readonly versionMax: number;
  /** Pass over what modules have written, instead of refusing the file. */
  readonly skipsModules?: boolean;
}

const HEADER_BYTES = 9;
/** Keys that are handed over together, so that what their insertion reads can be fetched ahead. */
const BATCH = 128;
const State = { Header: 0, Opcode: 1, Value: 2, Module: 3, ModulePart: 4, Checksum: 5, Done: 6 } as const;

export class RdbReader {
  readonly #arena: Arena;
  readonly #handler: RdbHandler;
  readonly #options: RdbReaderOptions;
  readonly #input: RdbInput;
  readonly #readers: readonly (TypeReader | undefined)[];
  readonly #key = new StringSlot();
  readonly #text = new StringSlot();
  #state: number = State.Header;
  #version = 0;
  #reader: TypeReader | null = null;
  /** A copy of the key in progress. */
  readonly #keyCopy = new StringSlot();
  /** Does the next key expire? Its time is kept as halves, too: beyond 2^53 ms a number is not exact. */
  #expires = false;
  #expiryMs = 0;
  #expiryLow = 0;
  #expiryHigh = 0;
  #idleSeconds = -1;
  #frequency = -1;
  #doing: Reading = "start";
  #module = "";
  #moduleIsValue = false;
  /** Keys that are complete: from #given on they have not been handed over. */
  readonly #ready = new Int32Array(BATCH);
  readonly #expiries = new Float64Array(BATCH);
  readonly #idleTimes = new Float64Array(BATCH);
  readonly #frequencies = new Int16Array(BATCH);
  readonly #batch: number;
  #readyCount = 0;
  #given = 0;

  constructor(arena: Arena, limits: ReadingLimits, handler: RdbHandler, options: RdbReaderOptions) {
    this.#arena = arena;
    this.#input = new RdbInput(options.checkChecksum);
    this.#handler = handler;
    this.#batch = handler.prepare === undefined ? 1 : BATCH;
    this.#options = options;
    this.#readers = typeReaders(arena, limits);
  }

  /** Bytes from the start of the file to what is read next. */
  get position(): number {
    return this.#input.position;
  }

  /** What it was reading last. */
  get doing(): Reading {
    return this.#doing;
  }

  /** Takes bytes that follow those so far; they are copied. */
  feed(bytes: Uint8Array): void {
    this.#input.feed(bytes);
  }

  /** The same for up to `bytes` bytes that `read` puts at an offset of a buffer; it answers how many. */
  feedBy(bytes: number, read: (buf: Uint8Array, at: number, bytes: number) => number): number {
    return this.#input.feedBy(bytes, read);
  }

  /** No more bytes come. */
  end(): void {
    this.#input.finish();
  }

  /** A copy of what was fed and not read: what follows the file. */
  unread(): Uint8Array {
    return this.#input.unread();
  }

  /** Frees what has been read of a key that is not complete. */
  discard(): void {
    this.#reader?.discard();
    this.#reader = null;
    const a = this.#arena;
    for (; this.#given < this.#readyCount; this.#given++) {
      entryDiscard(a, this.#ready[this.#given]);
    }
  }

  /** Reads up to about `budget` elements. "starved": it needs feed(), or end(). Throws an RdbError. */
  step(budget: number): "more" | "starved" | "done" {
    try {
      const state = this.#run(budget);
      this.#handOver();
      return state;
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  #run(budget: number): "more" | "starved" | "done" {
    try {
      for (let left = budget; left > 0; left--) {
        if (this.#one()) return "done";
        this.#input.commit();
      }
      return "more";
    } catch (error) {
      if (error !== STARVED) throw error;
      this.#input.rewind();
      return "starved";
    }
  }

  #handOver(): void {
    const count = this.#readyCount;
    if (count === 0) return;
    this.#handler.prepare?.(this.#ready, count);
    while (this.#given < count) {
      const i = this.#given++;
      this.#handler.key(this.#ready[i], this.#expiries[i], this.#idleTimes[i], this.#frequencies[i]);
    }
    this.#readyCount = 0;
    this.#given = 0;
  }

  /** Reads one element; true at the end. */
  #one(): boolean {
    switch (this.#state) {
      case State.Value:
        this.#value();
        return false;
      case State.Opcode:
        return this.#opcode();
      case State.Header:
        this.#header();
        return false;
      case State.Module:
        this.#beginModule(true);
        return false;
      case State.ModulePart:
        this.#modulePart();
        return false;
      case State.Checksum:
        this.#checksum();
        return true;
      default:
        return true;
    }
  }

  #header(): void {
    const input = this.#input;
    input.need(HEADER_BYTES);
    const text = latin1(input.buf, input.at, HEADER_BYTES);
    input.at += HEADER_BYTES;
    if (!text.startsWith("REDIS"))
      throw new RdbError(Fault.Signature, "Wrong signature trying to load DB from file", HEADER_BYTES);
    // Four digits: a damaged one must not make a version of long ago, which has no checksum.
    this.#version = /^\d{4}$/.test(text.slice(5)) ? Number(text.slice(5)) : 0;
    if (!isReadableVersion(this.#version, this.#options.versionMax))
      throw new RdbError(Fault.Version, `Can't handle RDB format version ${this.#version}`, HEADER_BYTES);
    this.#handler.version(this.#version);
    this.#state = State.Opcode;
  }

  #opcode(): boolean {
    const input = this.#input;
    this.#doing = "read-type";
    const opcode = input.byte();
    if (opcode < Opcode.SlotImport) {
      this.#beginKey(opcode);
      return false;
    }
    this.#doing = DOING.get(opcode) ?? this.#doing;
    switch (opcode) {
      case Opcode.ExpireTimeMs:
        this.#expiryMs = input.milliseconds();
        this.#expires = this.#expiryMs !== -1;
        this.#expiryLow = input.low;
        this.#expiryHigh = input.high;
        return false;
      case Opcode.ExpireTime:
        this.#expires = true;
        this.#expiryMs = input.int32() * 1000;
        this.#expiryLow = int64Low(this.#expiryMs);
        this.#expiryHigh = int64High(this.#expiryMs);
        return false;
      case Opcode.Frequency:
        this.#frequency = input.byte();
        return false;
      case Opcode.Idle:
        this.#idleSeconds = input.length();
        return false;
      case Opcode.SelectDb: {
        const id = input.length();
        this.#handOver();
        this.#handler.selectDb(id);
        return false;
      }
      case Opcode.ResizeDb: {
        const size = input.length();
        this.#handler.resizeDb(size, input.length());
        return false;
      }
      case Opcode.SlotInfo:
        for (let i = 0; i < 3; i++) input.length();
        return false;
      case Opcode.Aux: {
        input.string(this.#key);
        input.string(this.#text);
        const { buf, at, length } = this.#text;
        this.#handler.aux(latin1(this.#key.buf, this.#key.at, this.#key.length), copyOf(buf, at, length));
        return false;
      }
      case Opcode.Function2: {
        input.string(this.#text);
        this.#handler.functionLibrary(copyOf(this.#text.buf, this.#text.at, this.#text.length));
        return false;
      }
      case Opcode.FunctionPreGa:
        throw input.corrupt("Pre-release function format not supported.");
      case Opcode.ModuleAux:
        this.#beginModule(false);
        return false;
      case Opcode.Eof:
        this.#state = this.#version >= CHECKSUM_VERSION ? State.Checksum : State.Done;
        return this.#state === State.Done;
      default:
        this.#beginKey(opcode);
        return false;
    }
  }

  /** Reads a key, and its value, too, if that can be read at once. */
  #beginKey(type: number): void {
    const input = this.#input;
    const key = this.#key;
    const reader = this.#readers[type];
    if (reader === undefined && !isValueType(type))
      throw input.corrupt(
        `${this.#options.skipsModules === true ? "Invalid object type:" : "Unknown RDB encoding type"} ${type}`,
      );
    const handler = this.#handler;
    handler.keyType?.(type);
    this.#doing = "read-key";
    input.string(key);
    this.#doing = "read-object-value";
    this.#reader = reader ?? null;
    // Who is told that keys begin is told once of each: a value at once may have to be read again.
    const e = handler.keyBegins === undefined ? reader?.whole?.(type, key, input, this.#expires) : IN_STEPS;
    if (e === undefined || e === IN_STEPS) this.#beginValue(type);
    else this.#finishKey(e, key);
  }

  /** The key has been read; its value is to be read in steps. */
  #beginValue(type: number): void {
    const key = this.#key;
    const copy = this.#keyCopy;
    copy.reserve(key.length);
    copyBytes(key.buf, key.at, copy.own, 0, copy.length);
    if (this.#handler.keyBegins !== undefined) this.#handler.keyBegins(copyOf(copy.own, 0, copy.length));
    if (this.#reader === null) {
      if (type !== RdbType.Module2) throw this.#input.corrupt("Pre-release module format not supported");
      this.#state = State.Module;
      return;
    }
    this.#reader.begin(type, key, this.#version);
    this.#state = State.Value;
  }

  /** The id of a module, before its value or its data, which are passed over part by part. */
  #beginModule(isValue: boolean): void {
    const input = this.#input;
    const name = moduleName(input);
    if (!isValue) {
      const mark = input.length();
      input.length();
      if (mark !== ModuleOpcode.Unsigned) throw input.corrupt("bad when_opcode");
    }
    if (!this.#options.skipsModules) {
      const kind = isValue
        ? "module data I can't load: no matching module type"
        : "AUX module data I can't load: no matching module";
      throw new RdbError(Fault.Unsupported, `The RDB file contains ${kind} '${name}'`, input.position);
    }
    if (!isValue) this.#handler.moduleAux?.(name);
    this.#module = name;
    this.#moduleIsValue = isValue;
    this.#state = State.ModulePart;
  }

  #modulePart(): void {
    if (!skipModulePart(this.#input, this.#module)) return;
    this.#state = State.Opcode;
    if (!this.#moduleIsValue) return;
    this.#handler.moduleValue?.(this.#expires ? this.#expiryMs : -1);
    this.#expires = false;
    this.#idleSeconds = -1;
    this.#frequency = -1;
  }

  #value(): void {
    const reader = this.#reader as TypeReader;
    if (!reader.step(this.#input)) return;
    this.#state = State.Opcode;
    this.#finishKey(reader.take(), this.#keyCopy);
  }

  /** A key is complete: `entry` is it, or 0 when its value has no elements. */
  #finishKey(entry: Ref, key: StringSlot): void {
    const a = this.#arena;
    const reader = this.#reader;
    const expires = this.#expires;
    const idleSeconds = this.#idleSeconds;
    const frequency = this.#frequency;
    let e = entry;
    this.#reader = null;
    this.#expires = false;
    this.#idleSeconds = -1;
    this.#frequency = -1;
    if (e === 0) {
      reader?.discard();
      this.#handler.emptyKey(copyOf(key.buf, key.at, key.length));
      return;
    }
    if (expires) {
      if (!entryHasExpiry(a, e)) e = entryMove(a, e, true);
      setEntryExpiry(a, e, this.#expiryLow, this.#expiryHigh);
    }
    const i = this.#readyCount++;
    this.#ready[i] = e;
    this.#expiries[i] = expires ? this.#expiryMs : -1;
    this.#idleTimes[i] = idleSeconds;
    this.#frequencies[i] = frequency;
    if (i + 1 === this.#batch) this.#handOver();
  }

  #checksum(): void {
    const input = this.#input;
    this.#doing = "check-sum";
    const crc = input.checksum();
    input.need(8);
    const { buf, at } = input;
    const isAbsent = buf.subarray(at, at + 8).every((byte) => byte === 0);
    input.at += 8;
    if (!isAbsent && crc !== null && !crc.matches(buf, at))
      throw new RdbError(Fault.Checksum, checksumText(buf, at, crc), input.position);
    input.commit();
    this.#state = State.Done;
    if (this.#options.checkChecksum) this.#handler.checksum?.(!isAbsent);
  }
}

const DOING: ReadonlyMap<number, Reading> = new Map<number, Reading>([
  [Opcode.ExpireTimeMs, "read-expire"],
  [Opcode.ExpireTime, "read-expire"],
  [Opcode.SelectDb, "read-len"],
  [Opcode.ResizeDb, "read-len"],
  [Opcode.SlotInfo, "read-len"],
  [Opcode.Aux, "read-aux"],
  [Opcode.ModuleAux, "read-module-aux"],
  [Opcode.Function2, "read-functions"],
]);

function checksumText(buf: Uint8Array, at: number, crc: Crc64): string {
  const expected = Buffer.from(buf.subarray(at, at + 8))
    .reverse()
    .toString("hex");
  return `Wrong RDB checksum expected: (${expected}) but got (${crc.toHex()}). Aborting now.`;
}
