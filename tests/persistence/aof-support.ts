// What tests of the append-only file share: collecting the log of an engine, loading a file into another, and comparing what they hold.

import { openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Engine } from "../../src/engine/engine.ts";
import { type PropagationSink, Target } from "../../src/engine/propagation.ts";
import { CommandFormat } from "../../src/persistence/aof/command-format.ts";
import { CommandLoad, type LoadOutcome } from "../../src/persistence/aof/command-load.ts";
import { CommandReader } from "../../src/persistence/aof/command-reader.ts";
import { Loading } from "../../src/persistence/loading.ts";
import { dictScan, RefList } from "../../src/struct/dict/dict.ts";
import { encodeCommand } from "../support/client.ts";

/** Collects what an engine logs, as the bytes of an append-only file. */
export class LogCollector implements PropagationSink {
  readonly targets = Target.Aof;
  readonly #parts: Uint8Array[] = [];
  #selected = -1;

  constructor(engine: Engine) {
    engine.sinks.push(this);
  }

  propagate(dbId: number, bytes: Uint8Array, offset: number, length: number): void {
    if (dbId !== -1 && dbId !== this.#selected) {
      this.#selected = dbId;
      this.#parts.push(encodeCommand(["SELECT", dbId]));
    }
    this.#parts.push(bytes.slice(offset, offset + length));
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** Log lines that a loader has written. */
export interface LoadReport {
  readonly outcome: LoadOutcome;
  readonly lines: readonly string[];
  /** The file as it is afterwards. */
  readonly bytes: Buffer;
}

/** Lets an engine's log write into a list. */
export function collectLog(engine: Engine): string[] {
  const lines: string[] = [];
  const take = (text: string) => void lines.push(text);
  Object.assign(engine.log, { debug: take, verbose: take, notice: take, warning: take });
  return lines;
}

/** Loads commands into an engine from a file `name` in `folder`, as the last file of a log. */
export function loadCommands(engine: Engine, folder: string, bytes: Uint8Array, name = "log.aof"): LoadReport {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  const lines = collectLog(engine);
  const reader = new CommandReader(openSync(path, "r"), 0);
  const load = new CommandLoad(engine, reader, name, path, true);
  const loading = new Loading(engine);
  loading.start(bytes.length);
  let outcome: LoadOutcome | null = null;
  loading.runAtOnce((endUs) => {
    const state = load.step(endUs);
    if (typeof state === "number") return { pauseMs: state };
    outcome = state;
    return outcome === null ? "more" : "done";
  });
  loading.finish();
  reader.close();
  if (outcome === null) throw new Error("loading has no outcome");
  return { outcome, lines, bytes: readFileSync(path) };
}

/** The data set of an engine as commands: what a rewrite writes. */
export function rewritten(engine: Engine, step = Number.POSITIVE_INFINITY): Buffer {
  const parts: Uint8Array[] = [];
  const sink = { write: (bytes: Uint8Array, start: number, end: number) => void parts.push(bytes.slice(start, end)) };
  const format = new CommandFormat(engine.keyspace.arena, sink, "");
  const list = new RefList();
  format.open();
  for (const { id, size, expiresSize, dict } of engine.keyspace.databases) {
    let cursor = 0;
    do {
      list.count = 0;
      cursor = dictScan(engine.keyspace.arena, dict, cursor, list);
      for (let i = 0; i < list.count; i++) {
        format.main.begin(list.refs[i], { id, size, expiresSize });
        while (!format.main.step(step));
      }
    } while (cursor !== 0);
  }
  format.close();
  return Buffer.concat(parts);
}

/**
 * What a rewrite tells of streams, their groups and pending entries, in an order of its own: digests do not. Times and numbers of deliveries are left out:
 * a consumer that reads its own pending entries once more changes them, and as in Redis that is logged nowhere.
 */
export function streamCommands(log: Buffer): string[] {
  return log
    .toString("latin1")
    .split(/(?=^\*\d+\r\n\$\d+\r\n)/m)
    .filter((command) => /^\*\d+\r\n\$\d+\r\nX/.test(command))
    .map((command) => command.replace(/\$4\r\nTIME.*\$6\r\nJUSTID/s, "..."))
    .sort();
}
