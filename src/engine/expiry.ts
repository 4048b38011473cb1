/** What the deletion of an expired key, or of expired fields of a hash, means to others: replicas and the append-only file, transactions, listeners, clients that wait. */
import type { KeyspaceListener } from "../keyspace/key-rules.ts";
import { propagateInternal } from "./deliver.ts";
import { Event } from "./effects.ts";
import type { Engine } from "./engine.ts";
import { Observer } from "./observer.ts";
import { notifyKeyspaceEvent } from "./pubsub/notify.ts";

export class ExpiredKeys implements KeyspaceListener {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  get listening(): boolean {
    return this.#engine.observed !== 0 || this.#engine.sinks.length > 0;
  }

  keyExpired(dbId: number, key: Uint8Array): void {
    const engine = this.#engine;
    propagateInternal(engine, dbId, [engine.keyspace.lazyExpire ? "UNLINK" : "DEL", key]);
    if ((engine.observed & Observer.Watch) !== 0) engine.watches.touch(dbId, key, 0, key.length);
    if ((engine.observed & Observer.Notify) !== 0)
      notifyKeyspaceEvent(engine, Event.Expired, "expired", dbId, key, 0, key.length);
    if ((engine.observed & Observer.Blocked) !== 0) engine.blocking.keyReady(dbId, key, 0, key.length);
  }

  fieldExpired(dbId: number, key: Uint8Array, field: Uint8Array): void {
    propagateInternal(this.#engine, dbId, ["HDEL", key, field]);
  }

  fieldsExpired(dbId: number, key: Uint8Array, emptied: boolean): void {
    const engine = this.#engine;
    if ((engine.observed & Observer.Watch) !== 0) engine.watches.touch(dbId, key, 0, key.length);
    if ((engine.observed & Observer.Notify) === 0) return;
    notifyKeyspaceEvent(engine, Event.Hash, "hexpired", dbId, key, 0, key.length);
    if (emptied) notifyKeyspaceEvent(engine, Event.Generic, "del", dbId, key, 0, key.length);
  }
}
