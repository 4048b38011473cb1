/** Connections that the server opens itself (engine/peer.ts), over TCP or TLS. */
import type { Socket, TLSOptions } from "bun";
import { errnoCode, errnoText } from "../config/errno.ts";
import type { Dialer, DialOptions, Exchange, ExchangeOrder, Peer, PeerHandler } from "../engine/peer.ts";
import { descriptorOf } from "./backlog.ts";
import { exchangeInChild } from "./exchange.ts";
import { Outbox } from "./outbox.ts";
import type { TlsOptionsResult } from "./tls-options.ts";

const KEEP_ALIVE_MS = 300_000;
const NAME_MISMATCH = "ERR_TLS_CERT_ALTNAME_INVALID";

function addressText(host: string | undefined, port: number): string {
  if (host === undefined) return "?:0";
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Where to connect to, and from. Bun.connect() has the latter, its types do not. */
interface Place {
  readonly hostname: string;
  readonly port: number;
  readonly localAddress?: string;
}

class PeerSocket implements Peer {
  readonly isTls: boolean;
  readonly #handler: PeerHandler;
  readonly #box = new Outbox();
  #socket: Socket<PeerSocket> | null = null;
  /** The socket takes nothing more before it drains. */
  #full = false;
  #closed = false;
  #paused = false;

  constructor(handler: PeerHandler, isTls: boolean) {
    this.#handler = handler;
    this.isTls = isTls;
  }

  get fd(): number {
    return this.#socket === null ? -1 : descriptorOf(this.#socket);
  }

  get address(): string {
    return addressText(this.#socket?.remoteAddress, this.#socket?.remotePort ?? 0);
  }

  get localAddress(): string {
    return addressText(this.#socket?.localAddress, this.#socket?.localPort ?? 0);
  }

  get pendingBytes(): number {
    return this.#box.length;
  }

  write(bytes: Uint8Array, at: number, length: number): void {
    if (this.#closed) return;
    let sent = 0;
    if (this.#socket !== null && this.#box.length === 0 && !this.#full) {
      sent = Math.max(0, this.#socket.write(bytes, at, length));
      if (sent < length) this.#full = true;
    }
    if (sent < length) this.#box.append(bytes, at + sent, length - sent);
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket?.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket?.resume();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#box.clear();
    this.#socket?.end();
  }

  // ---- what the socket tells

  /** The connection has been made; over TLS the handshake is still to come. */
  connected(socket: Socket<PeerSocket>): void {
    if (this.#closed) {
      socket.end();
      return;
    }
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    if (this.#paused) socket.pause();
    if (!this.isTls) this.#handler.opened();
  }

  /** The TLS handshake is over. The name in the certificate does not matter: servers are known by addresses. */
  shaken(ok: boolean, error: Error | null): void {
    if (this.#closed) return;
    if (error !== null && errnoCode(error) !== NAME_MISMATCH) this.fail(error.message);
    else if (ok || error !== null) this.#handler.opened();
    else this.fail("TLS handshake failed");
  }

  received(bytes: Uint8Array): void {
    if (!this.#closed) this.#handler.received(bytes);
  }

  drained(): void {
    this.#full = false;
    while (this.#socket !== null && this.#box.length > 0) {
      const { bytes, head, tail } = this.#box.front;
      const sent = this.#socket.write(bytes, head, tail - head);
      if (sent > 0) this.#box.consume(sent);
      if (sent < tail - head) {
        this.#full = true;
        return;
      }
    }
  }

  fail(reason: string): void {
    if (this.#closed) return;
    this.close();
    this.#handler.closed(reason);
  }
}

/** What connections need of the server. */
export interface DialerHost {
  /** The options of encrypted connections as the settings have them now. */
  tlsOptions(): TlsOptionsResult;
  /** Bytes have come: an event of the server begins. */
  startTurn(): void;
}

export class SocketDialer implements Dialer {
  readonly #host: DialerHost;

  constructor(host: DialerHost) {
    this.#host = host;
  }

  dial(options: DialOptions, handler: PeerHandler): Peer {
    const peer = new PeerSocket(handler, options.tls);
    void this.#connect(peer, options);
    return peer;
  }

  exchangeNow(order: ExchangeOrder): Exchange {
    return exchangeInChild(order, order.tls ? this.#host.tlsOptions() : null);
  }

  async #connect(peer: PeerSocket, { host, port, tls, source }: DialOptions): Promise<void> {
    // An outcome is told later, never within dial().
    await Promise.resolve();
    let options: TLSOptions | null = null;
    if (tls) {
      const result = this.#host.tlsOptions();
      if ("error" in result) {
        peer.fail(result.error);
        return;
      }
      options = result.options;
    }
    const localAddress = source ? await addressOf(source) : null;
    if (localAddress !== null && (await this.#open(peer, { hostname: host, port, localAddress }, options))) return;
    await this.#open(peer, { hostname: host, port }, options);
  }

  /** @returns false when the address to connect from is none of ours, of which the peer is not told */
  async #open(peer: PeerSocket, place: Place, tls: TLSOptions | null): Promise<boolean> {
    let bound = true;
    const failed = (error: unknown) => {
      if (place.localAddress !== undefined && errnoCode(error) === "EADDRNOTAVAIL") bound = false;
      else if (bound) peer.fail(connectText(error));
    };
    try {
      await Bun.connect<PeerSocket>({
        ...place,
        data: peer,
        ...(tls === null ? {} : { tls }),
        socket: {
          binaryType: "uint8array",
          open: (socket) => peer.connected(socket),
          handshake: (_socket, ok, error) => peer.shaken(ok, error),
          data: (_socket, chunk) => {
            this.#host.startTurn();
            peer.received(chunk);
          },
          drain: () => peer.drained(),
          end: () => peer.fail("connection lost"),
          close: () => peer.fail("connection lost"),
          error: (_socket, error) => this.#failed(peer, error),
          // Knows why; the rejection that follows does not.
          connectError: (_socket, error) => failed(error),
        },
      });
    } catch (error) {
      failed(error);
    }
    return bound;
  }

  #failed(peer: PeerSocket, error: Error): void {
    if (errnoCode(error) !== "") {
      peer.fail(errnoText(error));
      return;
    }
    // A mistake of ours: the server must not go on with half a command done.
    setImmediate(() => {
      throw error;
    });
  }
}

/** The first address of a name, null when it has none. */
async function addressOf(name: string): Promise<string | null> {
  try {
    return (await Bun.dns.lookup(name))[0].address;
  } catch {
    return null;
  }
}

/** Why a connection could not be made. Bun tells of refused connections in words of its own. */
function connectText(error: unknown): string {
  const text = errnoText(error);
  return /failed to connect/i.test(text) ? "Connection refused" : text;
}
