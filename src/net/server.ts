/** Listening sockets. The only folder that touches Bun.listen. */
import type { Socket, TCPSocketListener } from "bun";
import type { Engine } from "../engine/engine.ts";
import { LOOK_AHEAD } from "../engine/prefetch.ts";
import { ProtocolFault } from "../resp/reader.ts";
import { Request } from "../resp/request.ts";
import { Connection, type ConnectionHost } from "./connection.ts";

export class Server implements ConnectionHost {
  readonly engine: Engine;
  readonly requests = Array.from({ length: LOOK_AHEAD }, () => new Request());
  readonly positions = new Int32Array(LOOK_AHEAD);
  readonly limits = { bulkMax: 512 * 1024 * 1024, authenticated: true };
  readonly unauthenticatedLimits = { bulkMax: 512 * 1024 * 1024, authenticated: false };
  readonly fault = new ProtocolFault();
  #dirty: Connection[] = [];
  #resumed: Connection[] = [];
  #listeners: TCPSocketListener<Connection>[] = [];

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** Listens on a TCP address. Throws when the port is taken. */
  listen(hostname: string, port: number): void {
    const listener = Bun.listen<Connection>({
      hostname,
      port,
      socket: {
        open: (socket) => this.#open(socket),
        data: (socket, chunk) => this.#data(socket, chunk),
        drain: (socket) => socket.data.flush(),
        close: (socket) => socket.data.closed(),
        error: (socket) => socket.data.close(),
      },
    });
    this.#listeners.push(listener);
  }

  #open(socket: Socket<Connection>): void {
    const connection = new Connection(
      this,
      socket,
      `${socket.remoteAddress}:${socket.remotePort}`,
      `${socket.localAddress}:${socket.localPort}`,
      false,
      false,
    );
    socket.data = connection;
    socket.setNoDelay(true);
    connection.client = this.engine.connect(connection);
  }

  #data(socket: Socket<Connection>, chunk: Uint8Array): void {
    this.engine.startTurn();
    socket.data.feed(chunk);
    if (this.#dirty.length > 0 || this.#resumed.length > 0) this.endTurn();
  }

  /** Goes on with resumed clients and flushes everyone who was written to. */
  endTurn(): void {
    while (this.#resumed.length > 0) {
      const resumed = this.#resumed;
      this.#resumed = [];
      for (const connection of resumed) connection.processHeld();
    }
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const connection of dirty) {
      connection.dirty = false;
      connection.flush();
    }
  }

  markDirty(connection: Connection): void {
    this.#dirty.push(connection);
  }

  markResumed(connection: Connection): void {
    this.#resumed.push(connection);
  }

  /** Stops listening and closes every connection. */
  stop(): void {
    for (const listener of this.#listeners) listener.stop(true);
  }
}
