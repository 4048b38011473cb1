/**
 * Looks through an RDB file: every value is read and looked through as under sanitize-dump-payload, then forgotten. The words are redis-check-rdb's; where
 * that names a line of its source, this names itself.
 */
import { readSync } from "node:fs";
import { Arena, type Ref } from "../../arena/arena.ts";
import { latin1, untilNul } from "../../base/bytes.ts";
import { SystemClock } from "../../base/clock.ts";
import { randomSeed } from "../../base/prng.ts";
import { Fault, RdbError } from "../../rdb/error.ts";
import { type RdbHandler, RdbReader } from "../../rdb/file-reader.ts";
import { RDB_TYPE_NAMES } from "../../rdb/format.ts";
import type { ReadingLimits } from "../../rdb/value.ts";
import { entryDiscard } from "../../types/value.ts";

const CHUNK_BYTES = 256 * 1024;
const STEP_BUDGET = 1024;

/** The limits that a server has by default: what is large is read as something large. */
const LIMITS: ReadingLimits = {
  deep: true,
  hash: { entries: 128, value: 64 },
  list: { fill: -2, depth: 0, plainMin: 0 },
  set: { intsetEntries: 512, listpackEntries: 128, listpackValue: 64 },
  zset: { listpackEntries: 128, listpackValue: 64 },
};

/**
 * Looks through the snapshot at the beginning of an open file, which is called `name`, and tells `out` about it. The position behind the snapshot, or null when
 * it is no good. `versionMax`: the greatest version that is known.
 */
export function checkRdb(fd: number, name: string, versionMax: number, out: (text: string) => void): number | null {
  out(`[offset 0] Checking RDB file ${name}\n`);
  return new RdbCheck(fd, versionMax, out).run();
}

/** Where values are made while they are looked at: empty between checks. */
let valuesArena: Arena | null = null;

/** Faults that concern the file, not a value in it; Redis tells of them without naming itself. */
const FILE_FAULTS: ReadonlySet<string> = new Set([Fault.Signature, Fault.Version, Fault.Truncated]);

/** One look through a file. */
class RdbCheck implements RdbHandler {
  readonly #fd: number;
  readonly #out: (text: string) => void;
  readonly #arena: Arena;
  readonly #reader: RdbReader;
  readonly #nowMs = new SystemClock().nowMs();
  #version = 0;
  #key: string | null = null;
  /** Type of the key that is read, -1 between keys. Before the first key Redis names type 0. */
  #type = 0;
  #keys = 0;
  #expires = 0;
  #expired = 0;

  constructor(fd: number, versionMax: number, out: (text: string) => void) {
    valuesArena ??= new Arena(randomSeed(), randomSeed());
    this.#arena = valuesArena;
    this.#fd = fd;
    this.#out = out;
    this.#reader = new RdbReader(this.#arena, LIMITS, this, {
      checkChecksum: true,
      versionMax,
      skipsModules: true,
    });
  }

  /** The position behind the snapshot, or null. */
  run(): number | null {
    try {
      this.#readAll();
    } catch (error) {
      if (!(error instanceof RdbError)) throw error;
      this.#report(error);
      return null;
    }
    this.#say("\\o/ RDB looks OK! \\o/");
    this.#summary();
    return this.#reader.position;
  }

  #readAll(): void {
    const chunk = new Uint8Array(CHUNK_BYTES);
    let at = 0;
    for (;;) {
      const state = this.#reader.step(STEP_BUDGET);
      if (state === "done") return;
      if (state === "more") continue;
      const count = this.#readChunk(chunk, at);
      at += count;
      if (count === 0) this.#reader.end();
      else this.#reader.feed(chunk.subarray(0, count));
    }
  }

  /** Bytes read from `at` on: 0 at the end of the file, and where it cannot be read, as a folder cannot. */
  #readChunk(chunk: Uint8Array, at: number): number {
    try {
      return readSync(this.#fd, chunk, 0, CHUNK_BYTES, at);
    } catch {
      return 0;
    }
  }

  #say(text: string): void {
    this.#out(`[offset ${this.#reader.position}] ${text}\n`);
  }

  #summary(): void {
    this.#out(
      `[info] ${this.#keys} keys read\n[info] ${this.#expires} expires\n[info] ${this.#expired} already expired\n`,
    );
  }

  #report(error: RdbError): void {
    const out = this.#out;
    out(`--- RDB ERROR DETECTED ---\n[offset ${error.offset}] ${this.#textOf(error)}\n`);
    out(`[additional info] While doing: ${this.#reader.doing}\n`);
    if (this.#key !== null) out(`[additional info] Reading key '${this.#key}'\n`);
    if (this.#type !== -1)
      out(`[additional info] Reading type ${this.#type} (${RDB_TYPE_NAMES[this.#type] ?? "unknown"})\n`);
    this.#summary();
  }

  #textOf({ fault, text }: RdbError): string {
    if (fault === Fault.EmptyKey) return "Unexpected EOF reading RDB file";
    if (fault === Fault.Checksum) return "RDB CRC error";
    if (text.startsWith("Pre-release function")) return `Pre-release function format not supported ${this.#version}`;
    const isOfFile = FILE_FAULTS.has(fault) || text.startsWith("Invalid object type") || text === "bad when_opcode";
    return isOfFile ? text : `Internal error in RDB reading offset 0, function at check-rdb -> ${text}`;
  }

  // ---- what the reader tells

  version(version: number): void {
    this.#version = version;
  }

  aux(name: string, bytes: Uint8Array): void {
    this.#say(`AUX FIELD ${untilNul(name)} = '${untilNul(latin1(bytes, 0, bytes.length))}'`);
  }

  selectDb(id: number): void {
    this.#say(`Selecting DB ID ${id}`);
  }

  resizeDb(): void {}

  functionLibrary(): void {}

  moduleAux(name: string): void {
    this.#say(`MODULE AUX for: ${name}`);
  }

  keyType(type: number): void {
    this.#type = type;
  }

  keyBegins(key: Uint8Array): void {
    this.#keys++;
    this.#key = untilNul(latin1(key, 0, key.length));
  }

  key(e: Ref, expiryMs: number): void {
    entryDiscard(this.#arena, e);
    this.moduleValue(expiryMs);
  }

  moduleValue(expiryMs: number): void {
    if (expiryMs !== -1) {
      this.#expires++;
      if (expiryMs < this.#nowMs) this.#expired++;
    }
    this.#key = null;
    this.#type = -1;
  }

  emptyKey(): void {
    throw new RdbError(Fault.EmptyKey, "a collection without elements", this.#reader.position);
  }

  checksum(isPresent: boolean): void {
    this.#say(isPresent ? "Checksum OK" : "RDB file was saved with checksum disabled: no check performed.");
  }
}
