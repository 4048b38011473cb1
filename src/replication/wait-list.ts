/** Clients that wait for acknowledgements of replicas, or for their own server's disk: WAIT and WAITAOF. */
import type { Client } from "../engine/client/client.ts";
import type { Engine } from "../engine/engine.ts";
import type { Request } from "../resp/request.ts";
import type { ReplyWriter } from "../resp/writer.ts";

interface Waiter {
  readonly client: Client;
  /** The request that it was parked with: it may wait for something else by now. */
  readonly request: Request | null;
  readonly isDone: () => boolean;
  readonly write: (reply: ReplyWriter) => void;
}

export class WaitList {
  readonly #engine: Engine;
  readonly #request: () => void;
  #waiters: Waiter[] = [];

  /** `request` asks for acknowledgements. */
  constructor(engine: Engine, request: () => void) {
    this.#engine = engine;
    this.#request = request;
  }

  /** The client, which has just been parked, waits until `isDone`; `write` writes its reply then. */
  add(client: Client, isDone: () => boolean, write: (reply: ReplyWriter) => void): void {
    this.#waiters.push({ client, request: this.#engine.blocking.requestOf(client), isDone, write });
    this.#request();
  }

  /** Something that somebody may wait for has happened. */
  check(): void {
    if (this.#waiters.length === 0) return;
    const left: Waiter[] = [];
    const done: Waiter[] = [];
    for (const waiter of this.#waiters) {
      // Its time was up, or somebody has unblocked it.
      if (this.#engine.blocking.requestOf(waiter.client) !== waiter.request) continue;
      (waiter.isDone() ? done : left).push(waiter);
    }
    this.#waiters = left;
    for (const { client, write } of done) this.#engine.blocking.finish(client, write);
  }

  /** The same, behind whatever happens in this turn. */
  checkSoon(): void {
    if (this.#waiters.length > 0) setImmediate(() => this.check());
  }

  /** A client has gone, or waits no more. */
  forget(client: Client): void {
    if (this.#waiters.length > 0) this.#waiters = this.#waiters.filter((waiter) => waiter.client !== client);
  }
}
