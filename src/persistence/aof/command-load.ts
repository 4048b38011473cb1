/**
 * Runs the commands of one append-only file, in slices, and decides what becomes of a file that does not end well: a tail that a crash has cut off
 * within a command or a transaction is removed when the settings allow it; everything else is a reason not to start.
 */
import { closeSync, fsyncSync, ftruncateSync, openSync } from "node:fs";
import { latin1 } from "../../base/bytes.ts";
import { errnoText } from "../../config/errno.ts";
import { Client, ClientFlag, Origin } from "../../engine/client/client.ts";
import { NULL_LINK } from "../../engine/client/null-link.ts";
import type { Engine } from "../../engine/engine.ts";
import type { CommandSpec } from "../../engine/spec/spec.ts";
import { LOOK_AHEAD, Request } from "../../resp/request.ts";
import { pathBytes } from "../disk.ts";
import { LoadPace } from "../rdb/load-pace.ts";
import { type CommandReader, Found } from "./command-reader.ts";

/** How loading a file has ended. */
export type LoadOutcome = "loaded" | "truncated" | "failed";

const ERROR_REPLY = 45;
/** Batches of commands between two looks at the clock. */
const BATCHES_PER_LOOK = 4;

export class CommandLoad {
  readonly #engine: Engine;
  readonly #reader: CommandReader;
  readonly #name: string;
  readonly #path: string;
  readonly #isLast: boolean;
  readonly #client: Client;
  /** Commands that have been read and not run, and where each of them ends in the file. */
  readonly #requests = Array.from({ length: LOOK_AHEAD }, () => new Request());
  readonly #ends = new Float64Array(LOOK_AHEAD);
  #count = 0;
  /** A command counts as a key. */
  readonly #pace: LoadPace;
  /** End of the last command that was run, outside of transactions. */
  #goodEnd: number;

  /** Runs what `reader` reads; `name` is the file's name for the log, `path` where it stands. Only the last file of a log may be cut. */
  constructor(engine: Engine, reader: CommandReader, name: string, path: string, isLast: boolean) {
    this.#engine = engine;
    this.#pace = new LoadPace(engine);
    this.#reader = reader;
    this.#name = name;
    this.#path = path;
    this.#isLast = isLast;
    this.#goodEnd = reader.offset;
    this.#client = new Client(-1, NULL_LINK, engine.keyspace.databases[0], engine.nowMs());
    this.#client.origin = Origin.Aof;
    // What a server has logged was allowed then, whatever a client may send.
    this.#client.set(ClientFlag.DenyBlocking | ClientFlag.Internal);
  }

  /** Position in the file. */
  get offset(): number {
    return this.#reader.offset;
  }

  /** Runs commands until `endUs` of the monotonic clock; null when there are more. A number: there is nothing to do for so many ms. */
  step(endUs: number): LoadOutcome | null | number {
    const { clock } = this.#engine;
    try {
      do {
        for (let i = 0; i < BATCHES_PER_LOOK; i++) {
          const { waitMs } = this.#pace;
          if (waitMs > 0) return waitMs;
          const found = this.#readBatch();
          if (!this.#runBatch()) return "failed";
          if (found !== Found.Command && found !== Found.Pause) return this.#finish(found);
        }
      } while (clock.monotonicUs() < endUs);
      return null;
    } catch (error) {
      if (!(error instanceof Error) || !("syscall" in error || "errno" in error)) throw error;
      this.#engine.log.warning(`Unrecoverable error reading the append only file ${this.#name}: ${errnoText(error)}`);
      return "failed";
    }
  }

  /** Reads as many commands as can be looked ahead at, but at least one; what has ended that, Command or Pause: nothing in particular. */
  #readBatch(): number {
    const reader = this.#reader;
    this.#count = 0;
    while (this.#count < LOOK_AHEAD) {
      const found = reader.next(this.#requests[this.#count], this.#count === 0);
      if (found === Found.Command) this.#ends[this.#count++] = reader.offset;
      else if (found !== Found.Annotation) return found;
    }
    return Found.Command;
  }

  /** Runs what has been read; false when one of the commands is unknown. */
  #runBatch(): boolean {
    const { prefetcher, commands } = this.#engine;
    if (this.#count === 0) return true;
    this.#pace.loaded(this.#count);
    // Even a single one: what was found out about the bytes that stood in the buffer before must be forgotten.
    prefetcher.prepare(commands, this.#client.db, this.#requests, this.#count);
    for (let i = 0; i < this.#count; i++) {
      const request = this.#requests[i];
      if (!this.#run(request, this.#knownSpec(request, prefetcher.specs[i]))) return false;
      if (!this.#client.has(ClientFlag.Multi)) this.#goodEnd = this.#ends[i];
    }
    return true;
  }

  /** Runs a command; false when there is none such. */
  #run(request: Request, spec: CommandSpec | null): boolean {
    const engine = this.#engine;
    if (spec === null) {
      const name = latin1(request.buf, request.start[0], request.length[0]);
      engine.log.warning(`Unknown command '${name}' reading the append only file ${this.#name}`);
      return false;
    }
    engine.execute(this.#client, request, spec);
    const { reply } = engine;
    if (reply.pos > 0 && reply.buf[0] === ERROR_REPLY) {
      const text = latin1(reply.buf, 1, reply.pos - 3);
      engine.log.warning(
        `== CRITICAL == This server is sending an error to its AOF-loading-client: '${text}' after processing the command '${spec.fullName}'`,
      );
    }
    reply.clear();
    return true;
  }

  /** The spec of a command, given what its first argument stands for; null when there is none, or no such subcommand. */
  #knownSpec(request: Request, found: CommandSpec | null): CommandSpec | null {
    const { buf, start, length, count } = request;
    const { commands } = this.#engine;
    // A command that was renamed may stand in the log under its own name, too.
    const spec = found ?? commands.lookupOriginal(latin1(buf, start[0], length[0]).toLowerCase()) ?? null;
    if (spec === null || spec.subcommands === null || count < 2) return spec;
    return commands.findSub(spec, buf, start[1], length[1]) === null ? null : spec;
  }

  #finish(found: number): LoadOutcome {
    const { log, config } = this.#engine;
    if (found === Found.Damage) return this.#damaged();
    if (found === Found.End) {
      if (!this.#client.has(ClientFlag.Multi)) return "loaded";
      log.warning(`Revert incomplete MULTI/EXEC transaction in AOF file ${this.#name}`);
    }
    if (config.values.aofLoadTruncated) {
      log.warning(`!!! Warning: short read while loading the AOF file ${this.#name}!!!`);
      if (!this.#isLast) {
        log.warning("Fatal error: the truncated file is not the last file");
        return "failed";
      }
      if (this.#truncate()) {
        log.warning(`AOF ${this.#name} loaded anyway because aof-load-truncated is enabled`);
        return "truncated";
      }
    }
    log.warning(
      `Unexpected end of file reading the append only file ${this.#name}. You can: 1) Make a backup of your AOF file, then use ./${this.#checker} --fix <filename.manifest>. 2) Alternatively you can set the 'aof-load-truncated' configuration option to yes and restart the server.`,
    );
    return "failed";
  }

  /** Something stands where a command should begin. */
  #damaged(): LoadOutcome {
    const { log, config } = this.#engine;
    const lost = this.#reader.size - this.#goodEnd;
    if (this.#isLast && lost <= config.values.aofLoadCorruptTailMaxSize) {
      log.warning(`!!! Warning: the last ${lost} bytes of the AOF file ${this.#name} are damaged !!!`);
      if (this.#truncate()) {
        log.warning(`AOF ${this.#name} loaded anyway because aof-load-corrupt-tail-max-size allows it`);
        return "truncated";
      }
    }
    log.warning(
      `Bad file format reading the append only file ${this.#name}: make a backup of your AOF file, then use ./${this.#checker} --fix <filename.manifest>`,
    );
    return "failed";
  }

  get #checker(): string {
    return `${this.#engine.config.personality.serverName}-check-aof`;
  }

  /** Cuts the file off behind the last good command; false when that failed. */
  #truncate(): boolean {
    const { log } = this.#engine;
    log.warning(`!!! Truncating the AOF ${this.#name} at offset ${this.#goodEnd} !!!`);
    try {
      const fd = openSync(pathBytes(this.#path), "r+");
      try {
        ftruncateSync(fd, this.#goodEnd);
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
      return true;
    } catch (error) {
      log.warning(`Error truncating the AOF file ${this.#name}: ${errnoText(error)}`);
      return false;
    }
  }
}
