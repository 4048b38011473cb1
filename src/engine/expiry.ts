/** What the deletion of an expired key means to others: replicas and the append-only file, transactions, listeners, clients that wait. */
import type { Database } from "../keyspace/database.ts";
import type { KeyspaceListener } from "../keyspace/keyspace.ts";
import { propagateInternal } from "./deliver.ts";
import { Event } from "./effects.ts";
import type { Engine } from "./engine.ts";
import { notifyKeyspaceEvent } from "./notify.ts";
import { Observer } from "./observer.ts";

export class ExpiredKeys implements KeyspaceListener {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  get listening(): boolean {
    return this.#engine.observed !== 0 || this.#engine.sinks.length > 0;
  }

  keyExpired(db: Database, key: Uint8Array): void {
    const engine = this.#engine;
    propagateInternal(engine, db.id, [engine.keyspace.lazyExpire ? "UNLINK" : "DEL", key]);
    if ((engine.observed & Observer.Watch) !== 0) engine.watches.touch(db.id, key, 0, key.length);
    if ((engine.observed & Observer.Notify) !== 0)
      notifyKeyspaceEvent(engine, Event.Expired, "expired", db.id, key, 0, key.length);
    if ((engine.observed & Observer.Blocked) !== 0) engine.blocking.keyReady(db.id, key, 0, key.length);
  }
}
