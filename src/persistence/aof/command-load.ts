/**
 * Runs the commands of one append-only file, in slices, and decides what becomes of a file that does not end well: a tail that a crash has cut off
 * within a command or a transaction is removed when the settings allow it; everything else is a reason not to start.
 */
import { closeSync, fsyncSync, ftruncateSync, openSync } from "node:fs";
import { latin1 } from "../../base/bytes.ts";
import { errnoText } from "../../config/errno.ts";
import { Client, ClientFlag, Origin } from "../../engine/client.ts";
import type { Engine } from "../../engine/engine.ts";
import { NULL_LINK } from "../../engine/null-link.ts";
import type { CommandSpec } from "../../engine/spec.ts";
import { Request } from "../../resp/request.ts";
import { pathBytes } from "../disk.ts";
import { type CommandReader, Found } from "./command-reader.ts";

/** How loading a file has ended. */
export type LoadOutcome = "loaded" | "truncated" | "failed";

const ERROR_REPLY = 45;
/** Commands between two looks at the clock. */
const COMMANDS_PER_LOOK = 64;

export class CommandLoad {
  readonly #engine: Engine;
  readonly #reader: CommandReader;
  readonly #name: string;
  readonly #path: string;
  readonly #isLast: boolean;
  readonly #client: Client;
  readonly #request = new Request();
  /** End of the last command that was run, outside of transactions. */
  #goodEnd: number;

  /** Runs what `reader` reads; `name` is the file's name for the log, `path` where it stands. Only the last file of a log may be cut. */
  constructor(engine: Engine, reader: CommandReader, name: string, path: string, isLast: boolean) {
    this.#engine = engine;
    this.#reader = reader;
    this.#name = name;
    this.#path = path;
    this.#isLast = isLast;
    this.#goodEnd = reader.offset;
    this.#client = new Client(-1, NULL_LINK, engine.keyspace.databases[0], engine.nowMs());
    this.#client.origin = Origin.Aof;
    this.#client.set(ClientFlag.DenyBlocking);
  }

  /** Position in the file. */
  get offset(): number {
    return this.#reader.offset;
  }

  /** Runs commands until `endUs` of the monotonic clock; null when there are more. */
  step(endUs: number): LoadOutcome | null {
    try {
      do {
        for (let i = 0; i < COMMANDS_PER_LOOK; i++) {
          const found = this.#reader.next(this.#request);
          if (found === Found.Command) {
            if (!this.#run()) return "failed";
          } else if (found !== Found.Annotation) {
            return this.#finish(found);
          }
        }
      } while (this.#engine.clock.monotonicUs() < endUs);
      return null;
    } catch (error) {
      if (!(error instanceof Error) || !("syscall" in error || "errno" in error)) throw error;
      this.#engine.log.warning(`Unrecoverable error reading the append only file ${this.#name}: ${errnoText(error)}`);
      return "failed";
    }
  }

  /** Runs the command in #request; false when there is no such command. */
  #run(): boolean {
    const engine = this.#engine;
    const request = this.#request;
    const spec = this.#find();
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
    if (!this.#client.has(ClientFlag.Multi)) this.#goodEnd = this.#reader.offset;
    return true;
  }

  #find(): CommandSpec | null {
    const { commands } = this.#engine;
    const { buf, start, length, count } = this.#request;
    const spec = commands.find(buf, start[0], length[0]) ?? this.#original();
    if (spec === null || spec.subcommands === null || count < 2) return spec;
    return commands.findSub(spec, buf, start[1], length[1]) === null ? null : spec;
  }

  /** A command that was renamed may stand in the log under its own name, too. */
  #original(): CommandSpec | null {
    const { buf, start, length } = this.#request;
    return this.#engine.commands.original.get(latin1(buf, start[0], length[0]).toLowerCase()) ?? null;
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
