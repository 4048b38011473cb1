/**
 * Connections of this process with itself: sockets like those of clients, for practice (cli/server/traffic-rehearsal.ts). Whoever else finds the port, which is
 * open for a moment, is turned away.
 */
import type { Socket } from "bun";
import type { Connection } from "./connection.ts";
import type { EndpointHandler } from "./listening.ts";

const HOST = "127.0.0.1";

/** So often is looked whether all connections have been accepted, a millisecond apart. */
const LOOKS_MAX = 100;

export class Loopback {
  /** The ends that the handler serves. */
  readonly sockets: readonly Socket<Connection>[];
  readonly #far: readonly Socket<unknown>[];

  private constructor(sockets: readonly Socket<Connection>[], far: readonly Socket<unknown>[]) {
    this.sockets = sockets;
    this.#far = far;
  }

  /** Opens `count` connections whose near ends `handler` serves. What it sends them is read and forgotten. Throws when the system has none to give. */
  static async open(handler: EndpointHandler, count: number): Promise<Loopback> {
    const accepted = new Map<number, Socket<Connection>>();
    const open = (socket: Socket<Connection>): void => {
      handler.open?.(socket);
      accepted.set(socket.remotePort ?? 0, socket);
    };
    const listener = Bun.listen<Connection>({ hostname: HOST, port: 0, socket: { ...handler, open } });
    const far: Socket<unknown>[] = [];
    try {
      const { port } = listener;
      const dial = () => Bun.connect({ hostname: HOST, port, socket: { data: () => {} } });
      for (const dialed of await Promise.allSettled(Array.from({ length: count }, dial))) {
        if (dialed.status === "rejected") throw dialed.reason;
        far.push(dialed.value);
      }
      const ports = far.map((socket) => socket.localPort ?? 0);
      for (let looks = 0; !ports.every((own) => accepted.has(own)); looks++) {
        if (looks === LOOKS_MAX) throw new Error("connections within this process are not accepted");
        await Bun.sleep(1);
      }
      const sockets: Socket<Connection>[] = [];
      for (const [own, socket] of accepted) {
        if (ports.includes(own)) sockets.push(socket);
        else socket.terminate();
      }
      return new Loopback(sockets, far);
    } catch (error) {
      for (const socket of far) socket.terminate();
      throw error;
    } finally {
      listener.stop();
    }
  }

  /** Closes all connections. */
  close(): void {
    for (const socket of this.#far) socket.terminate();
    for (const socket of this.sockets) socket.terminate();
  }
}
