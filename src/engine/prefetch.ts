/**
 * Looks ahead in a pipeline: finds the specs of commands that were read but not run, hashes their keys, and brings what they will touch into the
 * processor's caches (struct/dict.ts). It changes nothing that a command could see.
 */

import type { Database } from "../keyspace/database.ts";
import { HINT_OFFSET_MAX } from "../keyspace/hash-hints.ts";
import type { Request } from "../resp/request.ts";
import { dictHash, dictPrefetch, PREFETCH_MAX } from "../struct/dict.ts";
import type { CommandTable } from "./command-table.ts";
import type { CommandSpec } from "./spec.ts";

/** Commands of a chunk that are read ahead at a time. */
export const LOOK_AHEAD = 32;

export class Prefetcher {
  /** Specs of the requests that prepare() looked at; null: unknown. */
  readonly specs: (CommandSpec | null)[] = new Array(LOOK_AHEAD).fill(null);
  /** Keeps the loads alive. */
  sum = 0;
  readonly #hashes = new Int32Array(PREFETCH_MAX);

  /** Prepares for running `count` requests in `db`: those over the first one's buffer. */
  prepare(commands: CommandTable, db: Database, requests: readonly Request[], count: number): void {
    const hashes = this.#hashes;
    const hints = db.keyspace.hints;
    const a = db.arena;
    const buf = requests[0].buf;
    let n = 0;
    hints.begin(buf);
    for (let r = 0; r < count; r++) {
      const request = requests[r];
      // An inline command has a buffer of its own.
      if (request.buf !== buf) {
        this.specs[r] = null;
        continue;
      }
      const spec = commands.find(buf, request.start[0], request.length[0]);
      this.specs[r] = spec;
      if (spec === null || spec.firstKey === 0) continue;
      const last = spec.lastKey < 0 ? request.count + spec.lastKey : spec.lastKey;
      for (let i = spec.firstKey; i <= last && i < request.count && n < PREFETCH_MAX; i += spec.keyStep) {
        const at = request.start[i];
        if (at >= HINT_OFFSET_MAX) break;
        const hash = dictHash(a, buf, at, request.length[i]);
        hints.set(at, request.length[i], hash);
        hashes[n++] = hash;
      }
    }
    if (n > 1) this.sum ^= dictPrefetch(a, db.dict, hashes, n);
  }
}
