/**
 * Looks ahead in a pipeline: finds the specs of commands that were read but not run, hashes their keys, and brings what they will touch into the
 * processor's caches (struct/dict/dict.ts): the keys, and where several commands in a row are about one large set, hash or sorted set, its members.
 * It changes nothing that a command could see.
 */

import type { Database } from "../keyspace/database.ts";
import { LOOK_AHEAD, type Request } from "../resp/request.ts";
import { dictFind, dictHashAhead, dictPrefetch, PREFETCH_MAX } from "../struct/dict/dict.ts";
import { containerRoot } from "../types/container.ts";
import { Encoding, entryEncoding, entryType, Type } from "../types/entry.ts";
import type { CommandTable } from "./spec/command-table.ts";
import type { CommandSpec } from "./spec/spec.ts";

export class Prefetcher {
  /** Specs of the requests that prepare() looked at; null: unknown. */
  readonly specs: (CommandSpec | null)[] = new Array(LOOK_AHEAD).fill(null);
  /** Keeps the loads alive. */
  sum = 0;
  readonly #hashes = new Int32Array(PREFETCH_MAX);
  /** Of each request: whether it has a key, and the hash of the first one. */
  readonly #hasKey = new Uint8Array(LOOK_AHEAD);
  readonly #keyHashes = new Int32Array(LOOK_AHEAD);

  /** Prepares for running `count` requests in `db`: those over the first one's buffer. */
  prepare(commands: CommandTable, db: Database, requests: readonly Request[], count: number): void {
    const hashes = this.#hashes;
    const a = db.arena;
    const buf = requests[0].buf;
    let n = 0;
    a.hints.begin(buf);
    this.#hasKey.fill(0);
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
        const hash = dictHashAhead(a, request.start[i], request.length[i]);
        if (i === spec.firstKey) {
          this.#hasKey[r] = 1;
          this.#keyHashes[r] = hash;
        }
        // The same key again needs no second load.
        if (n === 0 || hashes[n - 1] !== hash) hashes[n++] = hash;
      }
    }
    if (n > 1) this.sum ^= dictPrefetch(a, db.dict, hashes, n);
    this.#prepareMembers(db, requests, count);
  }

  /** Finds the runs of requests with the same first key. */
  #prepareMembers(db: Database, requests: readonly Request[], count: number): void {
    const keyHashes = this.#keyHashes;
    const hasKey = this.#hasKey;
    for (let r = 0; r < count; ) {
      let end = r + 1;
      while (end < count && hasKey[end] === 1 && keyHashes[end] === keyHashes[r]) end++;
      if (hasKey[r] === 1 && end - r > 1) this.#prefetchMembers(db, requests, r, end);
      r = end;
    }
  }

  /** Looks ahead for the members that requests from `from` to before `to` seem to name, if their key is a large set, hash or sorted set. */
  #prefetchMembers(db: Database, requests: readonly Request[], from: number, to: number): void {
    const a = db.arena;
    const { buf, length, start } = requests[from];
    const spec = this.specs[from];
    if (spec === null) return;
    const key = spec.firstKey;
    const e = dictFind(a, db.dict, buf, start[key], length[key], this.#keyHashes[from]);
    if (e === 0) return;
    const type = entryType(a, e);
    const encoding = entryEncoding(a, e);
    const isTable = encoding === Encoding.HashTable && (type === Type.Set || type === Type.Hash);
    if (!isTable && (encoding !== Encoding.Skiplist || type !== Type.Zset)) return;
    const hashes = this.#hashes;
    let n = 0;
    for (let r = from; r < to; r++) {
      const request = requests[r];
      // The member follows the key, or a score that does.
      const i = type === Type.Zset && request.count === key + 3 ? key + 2 : key + 1;
      if (i < request.count) hashes[n++] = dictHashAhead(a, request.start[i], request.length[i]);
    }
    if (n > 1) this.sum ^= dictPrefetch(a, containerRoot(a, e), hashes, n);
  }
}
