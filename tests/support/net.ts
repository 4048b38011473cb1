/**
 * A server with sockets in the test's own process: an engine with a manual clock behind real listening sockets, or behind sockets that exist only in
 * the test. Nothing here waits for time: what is to happen is caused by bytes, by cron() or by advance().
 */
import type { Socket } from "bun";
import type { PersonalityName } from "../../src/config/personality.ts";
import type { SettingName } from "../../src/config/settings/settings.ts";
import type { CommandLiteral } from "../../src/engine/spec/spec.ts";
import { Connection } from "../../src/net/connection.ts";
import type { EndpointKind } from "../../src/net/endpoint.ts";
import { Server } from "../../src/net/server.ts";
import { RespClient } from "./client.ts";
import { type TestServer, testServer } from "./engine.ts";
import { freePort } from "./process.ts";

/** Settings by name, in the words of CONFIG SET. */
export type Settings = Partial<Record<SettingName, string>>;

export interface NetServer extends TestServer {
  readonly server: Server;
  readonly port: number;
  /** Opens a real connection. */
  dial(): Promise<RespClient>;
  /** Opens a connection over a socket of the test's own. */
  fake(kind?: EndpointKind): FakeSocket;
  /** Moves the clock on and runs the cron often enough to look after every client. */
  pass(ms: number): void;
  stop(): void;
}

/** What a server is made with. */
export interface NetOptions {
  readonly personality?: PersonalityName;
  readonly settings?: Settings;
  readonly commands?: readonly CommandLiteral[];
  /** Do not listen. */
  readonly deaf?: boolean;
}

/** Makes a server that listens on 127.0.0.1. Throws when it cannot start. */
export function netServer(options: NetOptions = {}): NetServer {
  const base = testServer({ personality: options.personality, commands: options.commands });
  const { config } = base.engine;
  const port = options.deaf ? 0 : freePort();
  const settings: Settings = { port: String(port), bind: "127.0.0.1", ...options.settings };
  for (const [name, value] of Object.entries(settings)) {
    const refusal = config.assign(name as SettingName, value);
    if (refusal !== null) throw new Error(`${name} ${value}: ${refusal}`);
  }
  const server = new Server(base.engine);
  const problem = options.deaf ? null : server.start();
  if (problem !== null) throw new Error(problem);
  return {
    ...base,
    server,
    port,
    dial: () => RespClient.connect({ port }),
    fake: (kind = "tcp") => new FakeSocket(server, kind),
    pass(ms) {
      base.advance(ms);
      for (let i = 0; i <= config.values.hz; i++) server.cron();
    },
    stop: () => server.stop(),
  };
}

/** A socket that exists only in the test, with the connection that it belongs to. */
export class FakeSocket {
  readonly connection: Connection;
  readonly #server: Server;
  readonly #sent: Uint8Array[] = [];
  /** How many more bytes it takes before it must drain. */
  room = Number.POSITIVE_INFINITY;
  /** Calls of write(). */
  writes = 0;
  ended = false;
  paused = false;
  noDelay = true;
  readonly fd = 99;
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort = 1234;
  readonly localAddress = "127.0.0.1";
  readonly localPort = 6379;

  constructor(server: Server, kind: EndpointKind) {
    this.#server = server;
    this.connection = new Connection(server, this as unknown as Socket<Connection>, kind);
    this.connection.client = server.engine.connect(this.connection);
  }

  /** The peer sends bytes: one event. Returns what the server has written by the end of the turn. */
  receive(bytes: Uint8Array | string): string {
    const before = this.#sent.length;
    this.#server.engine.reply.clear();
    this.#server.engine.startTurn();
    // The server owns a chunk: it may throw its memory away.
    this.connection.feed(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : Uint8Array.from(bytes));
    this.#server.endTurn();
    return text(this.#sent.slice(before));
  }

  /** Everything the server has written. */
  get output(): string {
    return text(this.#sent);
  }

  /** The peer reads: there is room for `bytes` more. */
  drain(bytes = Number.POSITIVE_INFINITY): void {
    this.room = bytes;
    this.connection.drained();
    this.#server.endTurn();
  }

  write(bytes: Uint8Array, offset = 0, length = bytes.length - offset): number {
    if (this.ended) return -1;
    this.writes++;
    const taken = Math.min(length, this.room);
    this.room -= taken;
    if (taken > 0) this.#sent.push(bytes.slice(offset, offset + taken));
    return taken;
  }

  end(): void {
    this.ended = true;
    this.connection.closed();
  }

  setNoDelay(on: boolean): void {
    this.noDelay = on;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }
}

function text(pieces: readonly Uint8Array[]): string {
  return Buffer.concat(pieces).toString("latin1");
}
