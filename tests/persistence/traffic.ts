// Random commands of all families against an engine in this process, with expiry, eviction and whatever else changes keys.

import type { Prng } from "../../src/base/prng.ts";
import { ExpireCycle } from "../../src/keyspace/expire-cycle.ts";
import { DATA_FAMILIES } from "../oracle/data-families.ts";
import { Draw } from "../oracle/draw.ts";
import type { Generator } from "../oracle/generator.ts";
import { generator as server } from "../oracle/generators/server.ts";
import type { TestClient, TestServer } from "../support/engine.ts";

const FAMILIES: readonly Generator[] = [...DATA_FAMILIES, server];

/** Keys in each database beside those that the families use. */
const BULK_KEYS = 60;

/** Random commands of all families, each on a connection and mostly in a database of its own. */
export class Traffic {
  readonly #server: TestServer;
  readonly #prng: Prng;
  readonly #draw: Draw;
  readonly #clients: TestClient[];
  readonly #cycle: ExpireCycle;

  constructor(server: TestServer, prng: Prng) {
    this.#server = server;
    this.#cycle = new ExpireCycle(server.engine.keyspace, server.clock);
    server.connect().send("CONFIG", "SET", "maxmemory-policy", "allkeys-random");
    this.#prng = prng;
    this.#draw = new Draw(prng);
    this.#clients = FAMILIES.map((_, id) => {
      const client = server.connect();
      client.send("SELECT", id);
      return client;
    });
  }

  #command(i: number): readonly string[] {
    const id = this.#prng.below(FAMILIES.length);
    switch (this.#prng.below(300)) {
      case 0:
        return ["FLUSHDB", this.#prng.below(2) === 0 ? "SYNC" : "ASYNC"];
      case 1:
        return ["SWAPDB", String(id), String(this.#prng.below(FAMILIES.length))];
      case 2:
        return ["SELECT", String(id)];
      case 3:
        return ["DEBUG", "POPULATE", String(BULK_KEYS), "bulk"];
      default: {
        if (this.#prng.below(2) === 0) return this.#bulkCommand();
        const step = FAMILIES[i].draw(this.#draw);
        return "args" in step ? step.args : step;
      }
    }
  }

  /** Something about one of many keys, so that tables grow, shrink and are in the middle of that. */
  #bulkCommand(): readonly string[] {
    const key = `bulk:${this.#prng.below(BULK_KEYS)}`;
    const other = `bulk:${this.#prng.below(BULK_KEYS)}`;
    const hash = `hash:${this.#prng.below(40)}`;
    switch (this.#prng.below(12)) {
      case 0:
        return ["DEL", key, other];
      case 1:
        return ["PEXPIRE", key, String(this.#prng.below(300))];
      case 2:
        return ["RENAME", key, other];
      case 3:
        return ["MOVE", key, String(this.#prng.below(FAMILIES.length))];
      case 4:
        return ["COPY", key, other, "DB", String(this.#prng.below(FAMILIES.length)), "REPLACE"];
      case 5:
        return ["APPEND", key, "more"];
      case 6:
        return ["PERSIST", key];
      case 7:
        return ["HSET", hash, `f${this.#prng.below(5)}`, key];
      case 8:
        return ["HPEXPIRE", hash, String(this.#prng.below(2000)), "FIELDS", "1", `f${this.#prng.below(5)}`];
      case 9:
        return ["HRANDFIELD", hash];
      case 10:
        return ["GET", key];
      default:
        return ["SET", key, String(this.#prng.below(1000))];
    }
  }

  populate(): void {
    for (const client of this.#clients) client.send("DEBUG", "POPULATE", BULK_KEYS, "bulk");
  }

  /** Memory is short for a moment, and some keys go. */
  #evict(): void {
    const { memory } = this.#server.engine;
    const client = this.#server.connect();
    client.send("CONFIG", "SET", "maxmemory", memory.usedBytes - 2000);
    memory.evict();
    client.send("CONFIG", "SET", "maxmemory", 0);
    client.close();
  }

  run(count: number): void {
    for (let n = 0; n < count; n++) {
      const i = this.#prng.below(FAMILIES.length);
      const args = this.#command(i);
      const client = this.#clients[i];
      if (/^FLUSH/i.test(args[0] ?? "") && this.#prng.below(10) > 0) continue;
      // A client that waits, or that was told to go, is no use any more.
      if (/^(SHUTDOWN|QUIT|CLIENT|MONITOR|SUBSCRIBE|PSUBSCRIBE|SSUBSCRIBE|CONFIG)$/i.test(args[0] ?? "")) continue;
      if (client.closed || client.client.halted !== 0) {
        client.close();
        this.#clients[i] = this.#server.connect();
        this.#clients[i].send("SELECT", this.#prng.below(FAMILIES.length));
        continue;
      }
      if (args.length > 0) client.raw(...args.map((arg) => Buffer.from(arg, "latin1")));
      if (this.#prng.below(8) === 0) this.#server.advance(this.#prng.below(200));
      if (this.#prng.below(50) === 0) this.#cycle.run(1000);
      if (this.#prng.below(400) === 0) this.#evict();
    }
  }
}
