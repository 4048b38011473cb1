/**
 * The set of open listening sockets. `change` makes it what the settings ask for, or leaves it as it was.
 *
 * What stays the same stays open. Connections outlive the listening socket through which they came.
 */
import type { SocketListener } from "bun";
import type { Logger } from "../base/log.ts";
import type { Connection } from "./connection.ts";
import { type Endpoint, type EndpointKind, endpointKey } from "./endpoint.ts";
import { type EndpointHandler, type ListenSettings, openEndpoint } from "./listening.ts";

/** Errors that say that this host has no such kind of address: such an address is passed over. */
const NO_SUCH_FAMILY: ReadonlySet<string> = new Set([
  "ENOPROTOOPT",
  "EPROTONOSUPPORT",
  "ESOCKTNOSUPPORT",
  "EPFNOSUPPORT",
  "EAFNOSUPPORT",
]);

interface OpenEndpoint {
  readonly endpoint: Endpoint;
  /** Null: the host has no such address, and may lack it. */
  readonly listener: SocketListener<Connection> | null;
}

export class Listeners {
  readonly #handlerOf: (kind: EndpointKind) => EndpointHandler;
  readonly #settings: () => ListenSettings;
  readonly #log: () => Logger;
  #open = new Map<string, OpenEndpoint>();

  /** `handlerOf` gives what serves the sockets of a kind of endpoint. */
  constructor(handlerOf: (kind: EndpointKind) => EndpointHandler, settings: () => ListenSettings, log: () => Logger) {
    this.#handlerOf = handlerOf;
    this.#settings = settings;
    this.#log = log;
  }

  /** Number of listening sockets. */
  get count(): number {
    let count = 0;
    for (const { listener } of this.#open.values()) if (listener !== null) count++;
    return count;
  }

  /** Kinds that have a listening socket, in the order in which they were opened. */
  get kinds(): EndpointKind[] {
    const kinds: EndpointKind[] = [];
    for (const { endpoint, listener } of this.#open.values()) {
      if (listener !== null && !kinds.includes(endpoint.kind)) kinds.push(endpoint.kind);
    }
    return kinds;
  }

  /**
   * Listens on exactly these endpoints. When one cannot be opened, everything is as it was before, and a line for the log is returned (more lines are in
   * the log by then); null when all went well.
   */
  change(wanted: readonly Endpoint[]): string | null {
    const before = this.#open;
    const next = new Map<string, OpenEndpoint>();
    const missing: Endpoint[] = [];
    for (const endpoint of wanted) {
      const key = endpointKey(endpoint);
      const open = before.get(key);
      if (open !== undefined && open.endpoint.tls === endpoint.tls) next.set(key, { ...open, endpoint });
      else missing.push(endpoint);
    }
    // An address and "all addresses" exclude each other on one port: what is to go goes first there, and comes back if need be.
    const first: OpenEndpoint[] = [];
    const stale: OpenEndpoint[] = [];
    for (const [key, open] of before) {
      if (next.has(key)) continue;
      const isInTheWay = missing.some((endpoint) => endpoint.port === open.endpoint.port);
      (isInTheWay ? first : stale).push(open);
    }
    close(first);
    const failed = this.#openAll(missing, next);
    if (failed !== null) {
      close(missing.flatMap((endpoint) => next.get(endpointKey(endpoint)) ?? []));
      const back = new Map(before);
      for (const { endpoint } of first) back.delete(endpointKey(endpoint));
      this.#openAll(
        first.map(({ endpoint }) => endpoint),
        back,
      );
      this.#open = back;
      return failed;
    }
    close(stale);
    // In the order of the settings.
    this.#open = new Map();
    for (const endpoint of wanted) {
      const key = endpointKey(endpoint);
      this.#open.set(key, next.get(key) as OpenEndpoint);
    }
    return null;
  }

  /** Stops listening. */
  close(): void {
    close([...this.#open.values()]);
    this.#open.clear();
  }

  #openAll(endpoints: readonly Endpoint[], into: Map<string, OpenEndpoint>): string | null {
    const settings = this.#settings();
    for (const endpoint of endpoints) {
      const result = openEndpoint(endpoint, this.#handlerOf(endpoint.kind), settings);
      if ("listener" in result) {
        into.set(endpointKey(endpoint), { endpoint, listener: result.listener });
        continue;
      }
      const { code, text } = result.failure;
      if (endpoint.kind === "unix") return `Failed opening Unix socket: ${text}`;
      this.#log().warning(
        `Warning: Could not create server TCP listening socket ${endpoint.host}:${endpoint.port}: ${text}`,
      );
      const mayLack = NO_SUCH_FAMILY.has(code) || (endpoint.optional && (code === "EADDRNOTAVAIL" || code === ""));
      if (!mayLack) return `Failed listening on port ${endpoint.port} (${endpoint.kind}), aborting.`;
      into.set(endpointKey(endpoint), { endpoint, listener: null });
    }
    return null;
  }
}

function close(endpoints: readonly OpenEndpoint[]): void {
  for (const { listener } of endpoints) listener?.stop(false);
}
