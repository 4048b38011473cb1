/** An RDB file: header, databases, keys, end. */
import { type Arena, type Ref, SEGMENT_SHIFT } from "../arena/arena.ts";
import {
  entryExpiryWord,
  entryHasExpiry,
  entryKeyAt,
  entryKeyBuffer,
  entryKeyLength,
  entryType,
  Type,
} from "../types/entry.ts";
import { Opcode } from "./format.ts";
import { HashWriter } from "./hash-value.ts";
import { ListWriter } from "./list-value.ts";
import type { RdbOutput } from "./output.ts";
import { SetWriter } from "./set-value.ts";
import { StreamWriter } from "./stream-value.ts";
import { StringWriter } from "./string-value.ts";
import { UnreadWriter } from "./unread-value.ts";
import type { TypeWriter } from "./value.ts";
import { ZsetWriter } from "./zset-value.ts";

/** What is saved of how a key was used; -1: nothing. */
export interface KeyAccess {
  readonly idleSeconds: number;
  readonly frequency: number;
}

/** Writes values of all types, each in steps. */
export class ValueWriter {
  readonly #arena: Arena;
  readonly #writers: (TypeWriter | null)[];
  #writer: TypeWriter;

  constructor(arena: Arena) {
    this.#arena = arena;
    const string = new StringWriter(arena);
    this.#writers = [];
    this.#writers[Type.String] = string;
    this.#writers[Type.List] = new ListWriter(arena);
    this.#writers[Type.Set] = new SetWriter(arena);
    this.#writers[Type.Zset] = new ZsetWriter(arena);
    this.#writers[Type.Hash] = new HashWriter(arena);
    this.#writers[Type.Module] = new UnreadWriter(arena);
    this.#writers[Type.Stream] = new StreamWriter(arena);
    this.#writer = string;
  }

  #of(e: Ref): TypeWriter {
    const writer = this.#writers[entryType(this.#arena, e)] ?? null;
    if (writer === null) throw new Error(`no value of type ${entryType(this.#arena, e)} can be written`);
    return writer;
  }

  rdbType(e: Ref, version: number): number {
    return this.#of(e).rdbType(e, version);
  }

  begin(e: Ref): void {
    this.#writer = this.#of(e);
    this.#writer.begin(e);
  }

  step(out: RdbOutput, budget: number): boolean {
    return this.#writer.step(out, budget);
  }
}

/** Writes keys with their values, each in steps. */
export class KeyWriter {
  readonly #arena: Arena;
  readonly #values: ValueWriter;
  #e: Ref = 0;
  #idleSeconds = -1;
  #frequency = -1;

  constructor(arena: Arena) {
    this.#arena = arena;
    this.#values = new ValueWriter(arena);
  }

  /** The key of `e` is next. */
  begin(e: Ref, access: KeyAccess): void {
    this.#e = e;
    this.#idleSeconds = access.idleSeconds;
    this.#frequency = access.frequency;
  }

  step(out: RdbOutput, budget: number): boolean {
    if (this.#e !== 0) {
      this.#head(out, this.#e);
      this.#values.begin(this.#e);
      this.#e = 0;
    }
    return this.#values.step(out, budget);
  }

  #head(out: RdbOutput, e: Ref): void {
    const a = this.#arena;
    if (entryHasExpiry(a, e)) {
      const w = a.i32[e >>> SEGMENT_SHIFT];
      const expiry = entryExpiryWord(a, e);
      out.byte(Opcode.ExpireTimeMs);
      out.int64(w[expiry], w[expiry + 1]);
    }
    if (this.#idleSeconds >= 0) {
      out.byte(Opcode.Idle);
      out.length(this.#idleSeconds);
    }
    if (this.#frequency >= 0) {
      out.byte(Opcode.Frequency);
      out.byte(this.#frequency);
    }
    out.byte(this.#values.rdbType(e, out.version));
    out.string(entryKeyBuffer(a, e), entryKeyAt(a, e), entryKeyLength(a, e));
  }
}

/** The beginning of a file: its version, and facts. */
export function writeRdbHeader(out: RdbOutput, aux: readonly (readonly [name: string, value: string])[]): void {
  const head = Buffer.from(`REDIS${String(out.version).padStart(4, "0")}`, "latin1");
  out.rawBytes(head, 0, head.length);
  for (const [name, value] of aux) {
    out.byte(Opcode.Aux);
    out.text(name);
    out.text(value);
  }
}

/** The keys that follow are of a database, of so many keys. */
export function writeSelectDb(out: RdbOutput, id: number, size: number, expiresSize: number): void {
  out.byte(Opcode.SelectDb);
  out.length(id);
  out.byte(Opcode.ResizeDb);
  out.length(size);
  out.length(expiresSize);
}

/** The end of a file: the mark, and the checksum of all before, or zeros. */
export function writeRdbEnd(out: RdbOutput): void {
  out.byte(Opcode.Eof);
  out.flush();
  const bytes = new Uint8Array(8);
  out.checksum?.write(bytes, 0);
  out.rawBytes(bytes, 0, bytes.length);
  out.flush();
}
