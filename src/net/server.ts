/**
 * The server's sockets: opens and closes listening sockets as the settings say, lets clients in, and divides time into turns.
 *
 * The replies to a client's input leave with the event that brought it, or, when many clients are busy, at the end of the turn (reply-timing.ts).
 * Everything else is put off until all sockets that have news have been served, and then done at once (endTurn): connections that others have written to are flushed, those that may go on go on, those that must go are closed. With
 * many publishers and many subscribers that is one write a subscriber instead of one for each message.
 */
import type { Socket, SocketHandler, TLSOptions } from "bun";
import { errnoCode } from "../config/errno.ts";
import type { OutputBufferLimits } from "../config/settings/setting-special.ts";
import type { Client } from "../engine/client/client.ts";
import { CLIENT_BYTES } from "../engine/client/client-memory.ts";
import type { Engine } from "../engine/engine.ts";
import { ProtocolFault } from "../resp/reader.ts";
import { LOOK_AHEAD, Request } from "../resp/request.ts";
import {
  adjustMaxClients,
  clientsWithinLimit,
  isLoopback,
  refusalByCount,
  refusalByProtectedMode,
} from "./admission.ts";
import { backlogWarning } from "./backlog.ts";
import { Connection, type ConnectionHost } from "./connection.ts";
import { type Endpoint, type EndpointKind, endpointsOf } from "./endpoint.ts";
import { Listeners } from "./listeners.ts";
import { checkTls } from "./listening.ts";
import { effectiveLimits, outputAlarm, REPLY_BYTES_MAX, replyLimitOf } from "./output-limits.ts";
import type { ReplyBufferPolicy } from "./reply-buffer.ts";
import { ReplyTiming } from "./reply-timing.ts";

/** At least so many clients are looked after in one run of the cron. */
const TENDED_MIN = 5;

/** Errors of a connection, which are nobody's mistake. */
const NETWORK_ERRORS: ReadonlySet<string> = new Set([
  "ECONNABORTED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "ENOBUFS",
  "ENOTCONN",
  "EPIPE",
  "EPROTO",
  "ETIMEDOUT",
]);

const CANNOT_LISTEN = "Unable to listen on this port. Check server logs.";
const CANNOT_BIND = "Failed to bind to specified addresses.";
const CANNOT_UPDATE_TLS = "Unable to update TLS configuration. Check server logs.";

export class Server implements ConnectionHost {
  readonly engine: Engine;
  readonly requests: Request[] = [new Request()];
  readonly positions = new Int32Array(LOOK_AHEAD);
  readonly limits = { bulkMax: 0, authenticated: true };
  readonly unauthenticatedLimits = { bulkMax: 0, authenticated: false };
  readonly fault = new ProtocolFault();
  readonly replyBuffers: ReplyBufferPolicy;
  readonly timing = new ReplyTiming();
  outputLimits: OutputBufferLimits;
  outputAlarm = REPLY_BYTES_MAX;
  normalReplyLimit = REPLY_BYTES_MAX;
  inputMemory = 0;
  outputMemory = 0;
  readonly #listeners: Listeners;
  /** What TLS sockets are made of; null while TLS is not in use. */
  #tls: TLSOptions | null = null;
  #dirty: Connection[] = [];
  #resumed: Connection[] = [];
  #doomed: Connection[] = [];
  #yielded: Connection[] = [];
  #endScheduled = false;
  /** Called when CONFIG SET has changed where the server listens: the process title shows it. */
  onMove: () => void = () => {};
  /** Goes round all clients, again and again. */
  #tour: Iterator<Client>;

  constructor(engine: Engine) {
    this.engine = engine;
    this.replyBuffers = engine.debug.replyBuffer;
    this.#tour = engine.clients.values();
    this.#listeners = new Listeners(
      (kind) => this.handlerOf(kind),
      () => ({
        backlog: engine.config.values.tcpBacklog,
        unixPermissions: engine.config.values.unixsocketperm,
        unixGroup: engine.config.values.unixsocketgroup,
      }),
      () => engine.log,
    );
    this.outputLimits = engine.config.values.clientOutputBufferLimit;
    this.#applyLimits();
    engine.config.onApply(["proto-max-bulk-len", "client-output-buffer-limit", "repl-backlog-size"], () =>
      this.#applyLimits(),
    );
    engine.config.onApply("maxclients", () => this.#applyMaxClients());
    engine.memory.setPart("clients-normal", () => this.clientMemory);
    engine.scheduleCommit = () => this.#scheduleEnd();
  }

  /** Bytes of memory that clients use. */
  get clientMemory(): number {
    const { clients, memory } = this.engine;
    return this.inputMemory + this.outputMemory + memory.heldRequestBytes + clients.size * CLIENT_BYTES;
  }

  /** Kinds of endpoints that are listened on: for the lines that tell that the server is ready. */
  get kinds(): EndpointKind[] {
    return this.#listeners.kinds;
  }

  /**
   * Opens all listening sockets; from now on CONFIG SET changes them. Null, or the line to log before the process ends; further lines are in the log.
   */
  start(): string | null {
    const { config, log } = this.engine;
    const tooFew = adjustMaxClients(this.engine);
    if (tooFew !== null) return tooFew;
    const warning = backlogWarning(config.values.tcpBacklog);
    if (warning !== null) log.warning(warning);
    if (!this.#readTls()) return "Failed to configure TLS. Check logs for more info.";
    const failure = this.#listeners.change(this.#endpoints());
    if (failure !== null) return failure;
    if (this.#listeners.count === 0) return "Configured to not listen anywhere, exiting.";
    this.#followSettings();
    return null;
  }

  #followSettings(): void {
    const { config } = this.engine;
    const listen = (message: string) => () => (this.#move() ? null : message);
    config.onApply("port", listen(CANNOT_LISTEN));
    config.onApply("bind", listen(CANNOT_BIND));
    config.onApply("tls-port", () => {
      if (this.#tls === null && !this.#readTls()) return CANNOT_UPDATE_TLS;
      return this.#move() ? null : CANNOT_LISTEN;
    });
    config.onApply(
      [
        "tls-cert-file",
        "tls-key-file",
        "tls-key-file-pass",
        "tls-ca-cert-file",
        "tls-ca-cert-dir",
        "tls-auth-clients",
        "tls-protocols",
        "tls-ciphers",
        "tls-replication",
        "tls-cluster",
      ],
      () => (this.#readTls() && this.#move() ? null : CANNOT_UPDATE_TLS),
    );
  }

  /** Listens where the settings say now; false, and all is as before, when that fails. */
  #move(): boolean {
    if (this.#listeners.change(this.#endpoints()) !== null) return false;
    this.onMove();
    return true;
  }

  #endpoints(): Endpoint[] {
    return endpointsOf(this.engine.config.values, this.#tls);
  }

  /** Reads certificates and options if TLS is in use; false, and the reason is logged, when they are no good. */
  #readTls(): boolean {
    const { config, log } = this.engine;
    const { values } = config;
    if (values.tlsPort === 0 && !values.tlsReplication && !values.tlsCluster) {
      this.#tls = null;
      return true;
    }
    const { readTlsOptions } = require("./tls-options.ts") as typeof import("./tls-options.ts");
    const result = readTlsOptions(values);
    const problem = "error" in result ? result.error : checkTls(result.options);
    if (problem !== null) {
      log.warning(problem);
      return false;
    }
    if ("options" in result) this.#tls = result.options;
    return true;
  }

  #applyLimits(): null {
    const { values } = this.engine.config;
    // Positions in a request are 32-bit integers.
    const bulkMax = Math.min(values.protoMaxBulkLen, 2 ** 31 - 2 ** 21);
    this.limits.bulkMax = bulkMax;
    this.unauthenticatedLimits.bulkMax = bulkMax;
    this.outputLimits = effectiveLimits(values.clientOutputBufferLimit, values.replBacklogSize);
    this.outputAlarm = outputAlarm(this.outputLimits);
    this.normalReplyLimit = replyLimitOf(this.outputLimits.normal);
    return null;
  }

  #applyMaxClients(): string | null {
    const wanted = this.engine.config.values.maxclients;
    const possible = clientsWithinLimit(wanted);
    if (possible === wanted) return null;
    return `The operating system is not able to handle the specified number of clients, try with ${possible}`;
  }

  /** Listens on one TCP address, whatever the settings say. Throws when it cannot. */
  listen(host: string, port: number): void {
    const failure = this.#listeners.change([{ kind: "tcp", host, port, optional: false, tls: null }]);
    if (failure !== null) throw new Error(failure);
  }

  /** What serves the sockets of an endpoint. */
  handlerOf(kind: EndpointKind): SocketHandler<Connection> {
    return {
      open: (socket) => this.#open(socket, kind),
      // A Buffer's slice() is a view, not a copy as a Uint8Array's is: code that expects the latter must not meet the former.
      binaryType: "uint8array",
      data: (socket, chunk) => this.#data(socket, chunk),
      drain: (socket) => socket.data?.drained(),
      end: (socket) => socket.data?.peerEnded(),
      close: (socket) => socket.data?.closed(),
      error: (socket, error) => this.#failed(socket, error),
      ...(kind === "tls" ? { handshake: (socket, ok) => this.#handshake(socket, ok) } : {}),
    };
  }

  #open(socket: Socket<Connection>, kind: EndpointKind): void {
    const { engine } = this;
    const { tcpKeepalive } = engine.config.values;
    // Before the handshake there is nothing that a TLS client could read.
    const refusal = refusalByCount(engine) ?? (kind === "tcp" ? this.#refusalByAddress(socket) : null);
    if (refusal !== null) {
      this.#refuse(socket, kind === "tls" ? "" : refusal);
      return;
    }
    if (kind !== "unix" && tcpKeepalive > 0) socket.setKeepAlive(true, tcpKeepalive * 1000);
    const connection = new Connection(this, socket, kind);
    socket.data = connection;
    connection.client = engine.connect(connection);
    if (engine.log.writes("verbose")) engine.log.verbose(`Accepted ${connection.address}`);
  }

  #refusalByAddress(socket: Socket<Connection>): string | null {
    const refusal = refusalByProtectedMode(this.engine);
    return refusal === null || isLoopback(socket.remoteAddress) ? null : refusal;
  }

  #refuse(socket: Socket<Connection>, line: string): void {
    this.engine.stats.rejectedConnections++;
    if (line !== "") socket.write(line);
    socket.end();
  }

  #handshake(socket: Socket<Connection>, ok: boolean): void {
    const connection: Connection | undefined = socket.data;
    if (connection === undefined || !ok) return;
    const refusal = this.#refusalByAddress(socket);
    if (refusal !== null) {
      this.#refuse(socket, refusal);
    } else if (
      this.engine.config.values.tlsAuthClients === "optional" &&
      !socket.authorized &&
      hasCertificate(socket)
    ) {
      // Showing no certificate is fine then, showing one that nobody vouches for is not.
      connection.close();
    }
  }

  #data(socket: Socket<Connection>, chunk: Uint8Array): void {
    this.engine.startTurn();
    if (this.timing.noteInput()) this.#scheduleEnd();
    socket.data.feed(chunk);
  }

  /** An event's handler has thrown, or a socket has failed. */
  #failed(socket: Socket<Connection>, error: Error): void {
    if (NETWORK_ERRORS.has(errnoCode(error))) {
      socket.data?.close();
      return;
    }
    // A mistake of ours: the server must not go on with half a command done.
    setImmediate(() => {
      throw error;
    });
  }

  /** Goes on with resumed clients, closes those that must go, writes the append-only file, and flushes everyone who was written to. */
  endTurn(): void {
    this.engine.clientLimit?.evict();
    if (this.engine.holdsStream) this.engine.flushStream();
    if (this.engine.holdsReplies) this.engine.commit();
    while (this.#resumed.length > 0 || this.#doomed.length > 0 || this.#dirty.length > 0) {
      const resumed = this.#resumed;
      const doomed = this.#doomed;
      const dirty = this.#dirty;
      if (resumed.length > 0) this.#resumed = [];
      if (doomed.length > 0) this.#doomed = [];
      if (dirty.length > 0) this.#dirty = [];
      for (const connection of resumed) connection.processHeld();
      for (const connection of doomed) connection.close();
      if (this.engine.holdsStream) this.engine.flushStream();
      if (this.engine.holdsReplies) this.engine.commit();
      for (const connection of dirty) {
        connection.dirty = false;
        connection.flush();
      }
    }
  }

  /** Lets the turn end when all sockets that have news have been served. */
  #scheduleEnd(): void {
    if (this.#endScheduled) return;
    this.#endScheduled = true;
    setImmediate(this.finishTurn);
  }

  /** The end of a turn, when all sockets that have news have been served. */
  readonly finishTurn = (): void => {
    this.#endScheduled = false;
    this.engine.startTurn();
    this.endTurn();
    this.timing.ended();
  };

  markDirty(connection: Connection): void {
    this.#dirty.push(connection);
    this.#scheduleEnd();
  }

  markDoomed(connection: Connection): void {
    this.#doomed.push(connection);
    this.#scheduleEnd();
  }

  markResumed(connection: Connection): void {
    this.#resumed.push(connection);
    this.#scheduleEnd();
  }

  markYielded(connection: Connection): void {
    this.#yielded.push(connection);
    if (this.#yielded.length === 1) setImmediate(this.#nextTurns);
  }

  readonly #nextTurns = (): void => {
    const yielded = this.#yielded;
    this.#yielded = [];
    this.engine.startTurn();
    for (const connection of yielded) connection.takeTurn();
    this.endTurn();
  };

  /** Looks after some clients: all of them once a second when it is called `hz` times a second. */
  cron(): void {
    const { clients, config, stats } = this.engine;
    const nowMs = this.engine.nowMs();
    const second = Math.floor(nowMs / 1000);
    const idleMaxMs = config.values.timeout * 1000;
    let left = Math.min(clients.size, Math.max(TENDED_MIN, Math.ceil(clients.size / config.values.hz)));
    for (; left > 0; left--) {
      let next = this.#tour.next();
      if (next.done === true) {
        this.#tour = clients.values();
        next = this.#tour.next();
      }
      if (next.done === true) break;
      const { link } = next.value;
      stats.inputPeak.note(second, link.inputBytes());
      stats.outputPeak.note(second, link.pendingOutput());
      if (link instanceof Connection) link.tend(nowMs, idleMaxMs);
    }
    this.endTurn();
  }

  /** Stops listening and closes every connection. */
  stop(): void {
    this.#listeners.close();
    for (const client of [...this.engine.clients.values()]) client.link.close();
  }
}

function hasCertificate(socket: Socket<Connection>): boolean {
  const certificate: unknown = socket.getPeerCertificate();
  return typeof certificate === "object" && certificate !== null && Object.keys(certificate).length > 0;
}
