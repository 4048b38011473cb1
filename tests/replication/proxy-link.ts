// A network between a replica and its primary that can be cut, stalled and slowed down: a proxy on a port of its own.

import { connect, createServer, type Server, type Socket } from "node:net";

const SLOW_CHUNK_MS = 20;

/** How bytes pass: at once, a chunk every 20 ms, or not at all while the connection stays. */
export type Pace = "free" | "slow" | "stalled";

export class Link {
  /** Port of the primary; a change holds for connections to come. */
  target: number;
  pace: Pace = "free";
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.target = target;
  }

  /** Opens a link to a port of this machine. */
  static async open(target: number): Promise<Link> {
    const server = createServer();
    const link = new Link(server, target);
    server.on("connection", (socket) => link.#accept(socket));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return link;
  }

  /** Port that the replica connects to. */
  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the link is closed");
    return address.port;
  }

  /** Breaks all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #accept(down: Socket): void {
    const up = connect(this.target, "127.0.0.1");
    this.#pass(down, up);
    this.#pass(up, down);
  }

  #pass(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on("data", (chunk: Buffer) => {
      from.pause();
      this.#send(chunk, from, to);
    });
    const end = () => {
      this.#sockets.delete(from);
      from.destroy();
      to.destroy();
    };
    from.on("close", end);
    from.on("error", end);
  }

  #send(chunk: Buffer, from: Socket, to: Socket): void {
    if (from.destroyed || to.destroyed) return;
    if (this.pace === "stalled") setTimeout(() => this.#send(chunk, from, to), SLOW_CHUNK_MS);
    else if (this.pace === "slow") setTimeout(() => to.write(chunk, () => from.resume()), SLOW_CHUNK_MS);
    else to.write(chunk, () => from.resume());
  }
}
