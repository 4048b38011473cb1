/**
 * Keys with an expiry that clients have written on a writable replica. The primary knows nothing of them and will never delete them, so the replica does that
 * itself: in the cron, unlike everything else that expires there. Small by nature: a replica that is written to a lot is no replica.
 *
 * Invariant: empty while the server is a primary.
 */
import { latin1, latin1Bytes } from "../base/bytes.ts";
import { ExpiryMode } from "../keyspace/key-rules.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import type { Request } from "../resp/request.ts";
import { entryExpiry, entryHasExpiry } from "../types/entry.ts";
import { keyPositions, noPositions } from "./spec/key-positions.ts";
import type { CommandSpec } from "./spec/spec.ts";

/** Keys that one run of the cron looks at. */
const KEYS_PER_RUN = 1000;

const positions = noPositions();

export class OwnKeys {
  readonly #keyspace: Keyspace;
  /** Per database: keys as latin1 text. */
  readonly #keys: Set<string>[] = [];

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
  }

  /** Keys that are looked after. */
  get count(): number {
    let sum = 0;
    for (const keys of this.#keys) sum += keys?.size ?? 0;
    return sum;
  }

  /** A client's command has written on this replica: its keys that expire now are looked after. */
  note(dbId: number, spec: CommandSpec, request: Request): void {
    const { buf, start, length } = request;
    const db = this.#keyspace.databases[dbId];
    if (keyPositions(spec, request, positions) <= 0) return;
    for (const i of positions.indexes) {
      const e = db.find(buf, start[i], length[i]);
      if (e === 0 || !entryHasExpiry(db.arena, e)) continue;
      this.#keys[dbId] ??= new Set();
      this.#keys[dbId].add(latin1(buf, start[i], length[i]));
    }
  }

  /** Forgets all: the data set is another one, or the server deletes what expires as a primary does. */
  clear(): void {
    this.#keys.length = 0;
  }

  /** Deletes those whose time has come. Called by the cron. */
  expire(): void {
    let left = KEYS_PER_RUN;
    for (const [dbId, keys] of this.#keys.entries()) {
      if (keys === undefined) continue;
      let turns = keys.size;
      for (const text of keys) {
        if (turns-- === 0) break;
        if (left-- === 0) return;
        // Those that stay go to the end, so that the next run looks at others.
        keys.delete(text);
        if (!this.#expireKey(dbId, latin1Bytes(text))) keys.add(text);
      }
    }
  }

  /** True when there is nothing to look after any more. */
  #expireKey(dbId: number, key: Uint8Array): boolean {
    const keyspace = this.#keyspace;
    const db = keyspace.databases[dbId];
    const e = db.find(key, 0, key.length);
    if (e === 0 || !entryHasExpiry(db.arena, e)) return true;
    if (keyspace.nowMs <= entryExpiry(db.arena, e)) return false;
    const { expiryMode } = keyspace;
    keyspace.expiryMode = ExpiryMode.Delete;
    db.expire(e, db.hash);
    keyspace.expiryMode = expiryMode;
    return true;
  }
}
