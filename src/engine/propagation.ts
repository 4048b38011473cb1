/**
 * What is to be told to the AOF and to replicas: the changes of one unit of execution (a command, a transaction, a script), collected as
 * RESP commands and given to the sinks when the unit has ended. A unit of more than one command goes out between MULTI and EXEC.
 *
 *   bytes    *3\r\n$3\r\nSET\r\n... *2\r\n$3\r\nDEL\r\n...      one after the other
 *   #ends    end of each command in bytes; #dbIds and #targets run parallel to it
 */
import { copyOf } from "../base/bytes.ts";
import { integerLength } from "../base/int64.ts";
import { CR, DOLLAR, LF, STAR } from "../resp/reader.ts";
import { ReplyWriter } from "../resp/writer.ts";

/** Who a propagated command is for. */
export const Target = { Aof: 1, Replicas: 2, All: 3 } as const;

/** Receives every change in the order in which it happened: the AOF, the replication backlog. */
export interface PropagationSink {
  /** Which commands it wants: bits of Target. */
  readonly targets: number;
  /**
   * One command as the RESP array that a client would send, `length` bytes at `offset` of `bytes`, valid only during the call. `dbId` is the database it ran in;
   * -1 (MULTI, EXEC): whatever is selected.
   */
  propagate(dbId: number, bytes: Uint8Array, offset: number, length: number): void;
}

const OPERATIONS_START = 16;
/** A buffer that grew beyond this for one transaction is let go afterwards. */
const OPERATIONS_KEEP = 4096;

const MULTI = new TextEncoder().encode("*1\r\n$5\r\nMULTI\r\n");
const EXEC = new TextEncoder().encode("*1\r\n$4\r\nEXEC\r\n");

/** The commands that select each database. */
const selects: Uint8Array[] = [];

/** SELECT of a database, as it stands in a stream of propagated commands before one of another database. */
export function selectCommand(dbId: number): Uint8Array {
  selects[dbId] ??= commandBytes(["SELECT", String(dbId)]);
  return selects[dbId];
}

/** The bytes of a command, which are the caller's. */
export function commandBytes(parts: readonly (Uint8Array | string)[]): Uint8Array {
  const out = new ReplyWriter(256);
  out.command(parts);
  return copyOf(out.buf, 0, out.pos);
}

/** Bytes of a header line for a count or a length. */
function headerBytes(n: number): number {
  return n < 10 ? 4 : n < 100 ? 5 : 3 + integerLength(n);
}

/**
 * Where a command begins in the buffer of its arguments, if it stands there just as it would be propagated, which is how most commands come over
 * the wire; -1 otherwise. It ends two bytes behind its last argument.
 */
export function wireStart(buf: Uint8Array, start: Int32Array, length: Int32Array, count: number): number {
  const countBytes = headerBytes(count);
  const at = start[0] - headerBytes(length[0]) - countBytes;
  if (at < 0 || buf[at] !== STAR || buf[at + countBytes - 1] !== LF) return -1;
  let header = at + countBytes;
  for (let i = 0; i < count; i++) {
    const first = start[i];
    const end = first + length[i];
    if (header + headerBytes(length[i]) !== first || buf[header] !== DOLLAR || buf[first - 1] !== LF) return -1;
    if (buf[end] !== CR || buf[end + 1] !== LF) return -1;
    header = end + 2;
  }
  return at;
}

export class Propagation {
  /** Commands collected. */
  count = 0;
  readonly #out = new ReplyWriter(1024);
  #ends = new Int32Array(OPERATIONS_START);
  #dbIds = new Int32Array(OPERATIONS_START);
  #targets = new Uint8Array(OPERATIONS_START);

  /** Adds a command given as argument positions over a buffer. */
  addArguments(
    dbId: number,
    targets: number,
    buf: Uint8Array,
    start: Int32Array,
    length: Int32Array,
    count: number,
  ): void {
    const out = this.#out;
    out.array(count);
    for (let i = 0; i < count; i++) out.bulk(buf, start[i], length[i]);
    this.#end(dbId, targets);
  }

  /** Adds a command given as its parts, bytes or latin1 text. */
  addParts(dbId: number, targets: number, parts: readonly (Uint8Array | string)[]): void {
    this.#out.command(parts);
    this.#end(dbId, targets);
  }

  /** Gives what was collected to the sinks, each what it wants; `asUnit`: between MULTI and EXEC when that is more than one command. */
  flush(sinks: readonly PropagationSink[], asUnit: boolean): void {
    for (let i = 0; i < sinks.length; i++) this.#flushTo(sinks[i], asUnit);
    this.count = 0;
    this.#out.clear();
    if (this.#ends.length > OPERATIONS_KEEP) this.#resize(OPERATIONS_START);
  }

  #flushTo(sink: PropagationSink, asUnit: boolean): void {
    let wanted = 0;
    for (let i = 0; i < this.count; i++) if ((this.#targets[i] & sink.targets) !== 0) wanted++;
    const wrapped = asUnit && wanted > 1;
    if (wrapped) sink.propagate(-1, MULTI, 0, MULTI.length);
    let at = 0;
    for (let i = 0; i < this.count; i++) {
      const end = this.#ends[i];
      if ((this.#targets[i] & sink.targets) !== 0) sink.propagate(this.#dbIds[i], this.#out.buf, at, end - at);
      at = end;
    }
    if (wrapped) sink.propagate(-1, EXEC, 0, EXEC.length);
  }

  #end(dbId: number, targets: number): void {
    if (this.count === this.#ends.length) this.#resize(this.count * 2);
    this.#ends[this.count] = this.#out.pos;
    this.#dbIds[this.count] = dbId;
    this.#targets[this.count] = targets;
    this.count++;
  }

  #resize(capacity: number): void {
    const kept = Math.min(capacity, this.count);
    const ends = new Int32Array(capacity);
    ends.set(this.#ends.subarray(0, kept));
    this.#ends = ends;
    const dbIds = new Int32Array(capacity);
    dbIds.set(this.#dbIds.subarray(0, kept));
    this.#dbIds = dbIds;
    const targets = new Uint8Array(capacity);
    targets.set(this.#targets.subarray(0, kept));
    this.#targets = targets;
  }
}
