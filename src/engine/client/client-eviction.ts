/**
 * maxmemory-clients: when all clients together take more memory than it allows, the largest ones are disconnected until the rest fits. Clients are kept in
 * buckets by the power of two that their memory comes to, so that a large one is found at once; within a bucket the order does not matter.
 *
 * Invariant: while there is a limit, every client that was noted and is still connected is in #noted with the bytes it was last seen with, and #bytes is
 * the sum over all normal and subscribed clients. A client is in a bucket if it may be evicted: replicas, primaries and clients with NO-EVICT are in none.
 */

import type { Engine } from "../engine.ts";
import type { ClientLimit } from "../handler-context.ts";
import { ServerGate } from "../observer.ts";
import { type Client, ClientFlag } from "./client.ts";
import { clientLine } from "./client-list.ts";
import { clientBytes } from "./client-memory.ts";

/** The first bucket holds what is below 2^15 bytes, each further one the next power of two, the last one all the rest. */
const FIRST_LOG = 15;
const BUCKETS = 19;
/** A smaller limit would leave no client to raise it again. */
const LIMIT_MIN = 128 * 1024;
/** Clients whose memory is no concern of this limit. */
const EXEMPT = ClientFlag.Replica | ClientFlag.Primary | ClientFlag.Internal;

interface Noted {
  bytes: number;
  /** -1: in none. */
  bucket: number;
}

function bucketOf(bytes: number): number {
  const bits = bytes >= 1 ? Math.floor(Math.log2(bytes)) + 1 : 0;
  return Math.min(Math.max(bits - FIRST_LOG, 0), BUCKETS - 1);
}

/** What a setting of maxmemory-clients comes to in bytes; 0: no limit. Percentages, of `maxmemory`, are negative. */
function limitOf(maxmemoryClients: number, maxmemory: number): number {
  if (maxmemoryClients === 0) return 0;
  if (maxmemoryClients > 0) return Math.max(LIMIT_MIN, maxmemoryClients);
  return maxmemory === 0 ? Number.POSITIVE_INFINITY : Math.max(LIMIT_MIN, (maxmemory * -maxmemoryClients) / 100);
}

/** The limit that an engine obeys while there is one. */
class Limit implements ClientLimit {
  limitBytes = 0;
  #bytes = 0;
  readonly #engine: Engine;
  readonly #noted = new Map<Client, Noted>();
  readonly #buckets: ReadonlyArray<Set<Client>> = Array.from({ length: BUCKETS }, () => new Set<Client>());

  constructor(engine: Engine) {
    this.#engine = engine;
    for (const client of engine.clients.values()) this.note(client);
  }

  note(client: Client): void {
    this.#count(client);
    if (this.#bytes >= this.limitBytes) this.#engine.scheduleCommit();
  }

  admit(client: Client): boolean {
    this.evict();
    return !client.has(ClientFlag.Closed);
  }

  forget(client: Client): void {
    const noted = this.#noted.get(client);
    if (noted === undefined) return;
    this.#noted.delete(client);
    this.#bytes -= noted.bytes;
    if (noted.bucket >= 0) this.#buckets[noted.bucket].delete(client);
  }

  evict(): void {
    const { log, stats } = this.#engine;
    for (let i = BUCKETS - 1; this.#bytes >= this.limitBytes; i--) {
      if (i < 0) {
        log.warning("Clients take more memory than allowed, and none of them may be evicted");
        return;
      }
      for (const client of this.#buckets[i]) {
        log.notice(`Evicting client: ${clientLine(this.#engine, client)}`);
        stats.evictedClients++;
        client.link.close();
        this.forget(client);
        if (this.#bytes < this.limitBytes) return;
      }
    }
  }

  describe(): string {
    const width = 10;
    return this.#buckets
      .map((bucket, i) => {
        const from = i === 0 ? 0 : 2 ** (FIRST_LOG + i - 1);
        const to = i === BUCKETS - 1 ? "+           " : ` - ${String(2 ** (FIRST_LOG + i) - 1).padStart(width)}`;
        let bytes = 0;
        for (const client of bucket) bytes += this.#noted.get(client)?.bytes ?? 0;
        return `bucket ${String(from).padStart(width)}${to}: tot-mem: ${String(bytes).padStart(width)}, clients: ${bucket.size}\n`;
      })
      .join("");
  }

  #count(client: Client): void {
    if (client.has(EXEMPT | ClientFlag.Closed)) {
      this.forget(client);
      return;
    }
    const waiting = client.postponed ?? this.#engine.blocking.requestOf(client);
    const bytes = clientBytes(client) + (waiting?.byteLength() ?? 0);
    const bucket = client.has(ClientFlag.NoEvict) ? -1 : bucketOf(bytes);
    const noted = this.#noted.get(client);
    if (noted === undefined) {
      this.#noted.set(client, { bytes, bucket });
      this.#bytes += bytes;
    } else {
      this.#bytes += bytes - noted.bytes;
      noted.bytes = bytes;
      if (noted.bucket === bucket) return;
      if (noted.bucket >= 0) this.#buckets[noted.bucket].delete(client);
      noted.bucket = bucket;
    }
    if (bucket >= 0) this.#buckets[bucket].add(client);
  }
}

/** Makes an engine obey maxmemory-clients as it is now. */
export function applyClientLimit(engine: Engine): void {
  const { maxmemoryClients, maxmemory } = engine.config.values;
  const bytes = limitOf(maxmemoryClients, maxmemory);
  if (bytes === 0) {
    engine.clientLimit = null;
    engine.gate &= ~ServerGate.ClientMemory;
    return;
  }
  const limit = engine.clientLimit instanceof Limit ? engine.clientLimit : new Limit(engine);
  limit.limitBytes = bytes;
  engine.clientLimit = limit;
  engine.gate |= ServerGate.ClientMemory;
  engine.scheduleCommit();
}
