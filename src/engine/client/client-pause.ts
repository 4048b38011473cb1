/**
 * CLIENT PAUSE: for a time, commands of clients are postponed, all of them or those that write; keys do not expire meanwhile. A postponed
 * command waits, parsed, on its client (`client.postponed`) and input behind it is held back; when the pause ends, clients go on in the order in
 * which they were postponed.
 *
 * Invariant: ServerGate.Paused is set, and expired keys are only hidden, exactly while a pause is in force.
 */

import type { Request } from "../../resp/request.ts";
import { settleExpiryMode } from "../expiry-mode.ts";
import { Halt, halt, release } from "../gates/gates.ts";
import type { EngineView, HandlerContext } from "../handler-context.ts";
import { ServerGate } from "../observer.ts";
import { type CommandSpec, Flag } from "../spec/spec.ts";
import { type Client, ClientFlag } from "./client.ts";

/** What is postponed; the larger value is the stricter one. */
export const Pause = { Nothing: 0, Writes: 1, All: 2 } as const;

export class ClientPause {
  readonly #engine: EngineView;
  /** Unix time in ms at which the pause ends; Infinity: when it is ended. */
  #endMs = 0;
  #what: number = Pause.Nothing;
  /** Those who need that nothing is written for a moment. */
  #holders = 0;
  readonly #postponed = new Set<Client>();

  constructor(engine: EngineView) {
    this.#engine = engine;
  }

  /** What is postponed now: a value of Pause. */
  get what(): number {
    return this.#what;
  }

  /** Clients with a postponed command. */
  get postponedCount(): number {
    return this.#postponed.size;
  }

  /** Pauses until `endMs`. Of a pause in force and the new one, the later end and the stricter scope hold. */
  start(what: number, endMs: number): void {
    this.update();
    const strictest = this.#what > what ? this.#what : what;
    if (endMs > this.#endMs) this.#endMs = endMs;
    if (this.#endMs > this.#engine.nowMs()) this.#enter(strictest);
  }

  /** Ends the pause. */
  end(): void {
    this.#endMs = 0;
    this.update();
  }

  /** Writes are postponed until letGo(), whatever else may be in force. */
  hold(): void {
    this.#holders++;
    if (this.#what === Pause.Nothing) this.#enter(Pause.Writes);
  }

  letGo(): void {
    this.#holders--;
    this.update();
  }

  /** Ends the pause when its time has come. Called by the cron. */
  update(): void {
    if (this.#what === Pause.Nothing || this.#endMs > this.#engine.nowMs()) return;
    if (this.#holders > 0) {
      if (this.#what === Pause.All) this.#weaken();
      return;
    }
    this.#what = Pause.Nothing;
    this.#endMs = 0;
    this.#engine.gate &= ~ServerGate.Paused;
    settleExpiryMode(this.#engine);
    this.#releaseAll();
  }

  /** Writes alone are still postponed; whoever wants to write comes back. */
  #weaken(): void {
    this.#what = Pause.Writes;
    this.#releaseAll();
  }

  #releaseAll(): void {
    const clients = [...this.#postponed];
    this.#postponed.clear();
    for (const client of clients) {
      client.unset(ClientFlag.Paused);
      release(client, Halt.Paused);
    }
  }

  #enter(what: number): void {
    if (this.#what === Pause.Nothing) {
      this.#engine.gate |= ServerGate.Paused;
      settleExpiryMode(this.#engine);
    }
    this.#what = what;
  }

  /** Postpones the command in `cx` when the pause concerns it; true when it did. Replicas are never paused. */
  postpones(cx: HandlerContext, spec: CommandSpec): boolean {
    const { client } = cx;
    if (client.has(ClientFlag.Replica)) return false;
    this.update();
    if (this.#what === Pause.Nothing) return false;
    if (this.#what === Pause.Writes && !mayWrite(client, spec)) return false;
    postpone(cx);
    client.set(ClientFlag.Paused);
    this.#postponed.add(client);
    halt(client, Halt.Paused);
    return true;
  }

  /** Holds a client back that comes without a request of its own, as the stream of a primary does; true while there is a pause. */
  holds(client: Client): boolean {
    this.update();
    if (this.#what === Pause.Nothing) return false;
    client.set(ClientFlag.Paused);
    this.#postponed.add(client);
    halt(client, Halt.Paused);
    return true;
  }

  /** Runs the command that was postponed, if there is one: what a link does first when it goes on with its input. */
  runPostponed(client: Client): void {
    const request = this.#takePostponed(client);
    if (request !== null) this.#engine.execute(client, request);
  }

  #takePostponed(client: Client): Request | null {
    const request = client.postponed;
    client.postponed = null;
    if (request !== null) this.#engine.memory.heldRequestBytes -= request.buf.length;
    return request;
  }

  /** Forgets a client that went away. */
  forget(client: Client): void {
    this.#takePostponed(client);
    this.#postponed.delete(client);
  }
}

/** Keeps the command in `cx` on its client until runPostponed(). */
export function postpone(cx: HandlerContext): void {
  const request = cx.request.clone();
  cx.client.postponed = request;
  cx.engine.memory.heldRequestBytes += request.buf.length;
}

const WRITES = Flag.Write | Flag.MayReplicate;

/** Could the command change data or reach replicas? EXEC could when a command of its queue could. */
function mayWrite(client: Client, spec: CommandSpec): boolean {
  if ((spec.flags & WRITES) !== 0) return true;
  return spec.name === "exec" && client.queue.some((queued) => (queued.spec.flags & WRITES) !== 0);
}
