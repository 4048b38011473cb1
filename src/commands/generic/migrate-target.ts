/**
 * Connections to the servers that MIGRATE moves keys to. One that has been used is kept for a while, because keys seldom move alone; when a kept one turns out to be
 * dead, a new one is tried.
 */
import { latin1 } from "../../base/bytes.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Dialer, Exchange, Peer, PeerHandler } from "../../engine/peer.ts";

/** How long an unused connection is kept. */
const KEEP_MS = 10_000;
const LF = 10;

/** What to send: `select` goes first where another database is selected. */
export interface Parcel {
  readonly auth: Uint8Array | null;
  readonly select: Uint8Array;
  readonly dbId: number;
  readonly commands: Uint8Array;
  /** Commands, each answered by one line. */
  readonly count: number;
  /** Milliseconds without progress after which it is over. */
  readonly timeoutMs: number;
}

/** One connection. */
export class Target implements PeerHandler {
  readonly key: string;
  readonly #peer: Peer;
  #isOpen = false;
  /** The selected database; -1: not known. */
  dbId = 0;
  isKept = false;
  isBusy = false;
  #queue: Uint8Array[] = [];
  #lines: string[] = [];
  #rest: Uint8Array = new Uint8Array(0);
  #wanted = 0;
  #timeoutMs = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #done: ((exchange: Exchange) => void) | null = null;
  readonly #gone: (target: Target) => void;

  constructor(dialer: Dialer, host: string, port: number, tls: boolean, gone: (target: Target) => void) {
    this.key = targetKey(host, port);
    this.#gone = gone;
    this.#peer = dialer.dial({ host, port, tls }, this);
  }

  /** Sends bytes, and calls back when so many lines have come, or will not come. */
  exchange(parts: readonly Uint8Array[], lines: number, timeoutMs: number, done: (exchange: Exchange) => void): void {
    this.isBusy = true;
    this.#lines = [];
    this.#wanted = lines;
    this.#timeoutMs = timeoutMs;
    this.#done = done;
    this.#arm(timeoutMs, () => this.#end(this.#isOpen ? "reading" : "connecting"));
    if (this.#isOpen) this.#send(parts);
    else this.#queue = [...parts];
  }

  #send(parts: readonly Uint8Array[]): void {
    for (const bytes of parts) this.#peer.write(bytes, 0, bytes.length);
  }

  #arm(ms: number, act: () => void): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(act, ms);
  }

  opened(): void {
    this.#isOpen = true;
    this.#send(this.#queue);
    this.#queue = [];
  }

  received(bytes: Uint8Array): void {
    let all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    for (let lf = all.indexOf(LF); lf >= 0; lf = all.indexOf(LF)) {
      this.#lines.push(latin1(all, 0, lf).replace(/\r$/, ""));
      all = all.subarray(lf + 1);
    }
    this.#rest = all.slice();
    if (this.#done === null) return;
    if (this.#lines.length >= this.#wanted) this.#end(null);
    else this.#arm(this.#timeoutMs, () => this.#end("reading"));
  }

  closed(): void {
    if (this.#done === null) this.#gone(this);
    else this.#end(!this.#isOpen ? "connecting" : this.#peer.pendingBytes > 0 ? "writing" : "reading");
  }

  #end(problem: Exchange["problem"]): void {
    const done = this.#done;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#done = null;
    this.isBusy = false;
    if (problem !== null) this.close();
    else this.#arm(KEEP_MS, () => this.close());
    done?.({ lines: this.#lines, problem });
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#peer.close();
    this.#gone(this);
  }
}

function targetKey(host: string, port: number): string {
  return `${host}:${port}`;
}

/** The connections of each server. */
const kept = new WeakMap<Engine, Map<string, Target>>();

function take(engine: Engine, dialer: Dialer, host: string, port: number): Target {
  let targets = kept.get(engine);
  if (targets === undefined) {
    const created = new Map<string, Target>();
    engine.info.add({ fields: { migrate_cached_sockets: () => created.size } });
    kept.set(engine, created);
    targets = created;
  }
  const found = targets.get(targetKey(host, port));
  if (found !== undefined && !found.isBusy) {
    found.isKept = true;
    return found;
  }
  const all = targets;
  const tls = engine.config.values.tlsReplication;
  const fresh = new Target(dialer, host, port, tls, (target) => {
    if (all.get(target.key) === target) all.delete(target.key);
  });
  if (found === undefined) all.set(fresh.key, fresh);
  return fresh;
}

/** Sends a parcel while this server stands still. As to `before`, see sendParcel(). */
export function sendParcelNow(
  engine: Engine,
  dialer: Dialer,
  host: string,
  port: number,
  { auth, select, dbId, commands, count, timeoutMs }: Parcel,
): { exchange: Exchange; before: number } {
  const parts: Uint8Array[] = [];
  if (auth !== null) parts.push(auth);
  if (dbId !== 0) parts.push(select);
  const before = parts.length;
  parts.push(commands);
  const tls = engine.config.values.tlsReplication;
  const bytes = Buffer.concat(parts);
  return { exchange: dialer.exchangeNow({ host, port, tls, bytes, lines: before + count, timeoutMs }), before };
}

/** Sends a parcel, and calls back with what came of it: the replies to `auth` and `select`, as far as they were sent (`before`), then those to the commands. */
export function sendParcel(
  engine: Engine,
  dialer: Dialer,
  host: string,
  port: number,
  parcel: Parcel,
  done: (exchange: Exchange, before: number) => void,
): void {
  const target = take(engine, dialer, host, port);
  const parts: Uint8Array[] = [];
  if (parcel.auth !== null) parts.push(parcel.auth);
  if (target.dbId !== parcel.dbId) parts.push(parcel.select);
  const before = parts.length;
  parts.push(parcel.commands);
  target.exchange(parts, before + parcel.count, parcel.timeoutMs, (exchange) => {
    const { lines, problem } = exchange;
    if (problem !== null && target.isKept && lines.length === 0) {
      // It had been closed at the other side.
      sendParcel(engine, dialer, host, port, parcel, done);
      return;
    }
    target.dbId = lines.some((line) => line.startsWith("-")) ? -1 : parcel.dbId;
    done(exchange, before);
  });
}
