// Bun's own client against our server. It speaks RESP3 only, has no patterns, and queues everything that is sent in one go.

import { RedisClient, type RedisOptions } from "bun";
import type { ConnectOptions, Library, Listener, Session, Subscriber } from "./session.ts";
import { testLibrary } from "./suite.ts";

function urlOf({ transport, password, database }: ConnectOptions): string {
  const credentials = password === null ? "" : `default:${encodeURIComponent(password)}@`;
  // A URL that has credentials must have a host too; it is not used.
  if (transport.kind === "unix") return `redis+unix://${credentials}localhost${transport.path}`;
  const scheme = transport.kind === "tls" ? "rediss" : "redis";
  return `${scheme}://${credentials}127.0.0.1:${transport.port}/${database}`;
}

async function open(options: ConnectOptions): Promise<RedisClient> {
  const settings: RedisOptions = { autoReconnect: false, maxRetries: 0 };
  if (options.transport.kind === "tls") settings.tls = { ca: options.transport.ca };
  const client = new RedisClient(urlOf(options), settings);
  // A command connects too; unlike connect() it tells why that failed.
  await client.send("PING", []);
  // The URL of a unix socket has no place for a database.
  if (options.transport.kind === "unix") await client.send("SELECT", [String(options.database)]);
  if (options.name !== null) await client.send("CLIENT", ["SETNAME", options.name]);
  return client;
}

class BunSubscriber implements Subscriber {
  readonly #client: RedisClient;
  constructor(client: RedisClient) {
    this.#client = client;
  }
  async subscribe(channel: string, listener: Listener): Promise<void> {
    await this.#client.subscribe(channel, listener);
  }
  async unsubscribe(channel: string): Promise<void> {
    await this.#client.unsubscribe(channel);
  }
  close(): void {
    this.#client.close();
  }
}

class BunSession implements Session {
  readonly #client: RedisClient;
  readonly #options: ConnectOptions;
  constructor(client: RedisClient, options: ConnectOptions) {
    this.#client = client;
    this.#options = options;
  }
  set(key: string, value: string): Promise<unknown> {
    return this.#client.set(key, value);
  }
  get(key: string): Promise<string | null> {
    return this.#client.get(key);
  }
  call(...args: string[]): Promise<unknown> {
    const [name, ...rest] = args;
    return this.#client.send(name, rest);
  }
  async pipeline(commands: readonly (readonly string[])[]): Promise<unknown[]> {
    return await Promise.all(commands.map((args) => this.call(...args).catch((error: unknown) => error)));
  }
  async transaction(
    commands: readonly (readonly string[])[],
    watch?: string,
    meanwhile?: () => Promise<unknown>,
  ): Promise<unknown[] | null> {
    if (watch !== undefined) await this.call("WATCH", watch);
    await meanwhile?.();
    const replies = await this.pipeline([["MULTI"], ...commands, ["EXEC"]]);
    return replies.at(-1) as unknown[] | null;
  }
  async subscriber(): Promise<Subscriber> {
    return new BunSubscriber(await open(this.#options));
  }
  close(): void {
    this.#client.close();
  }
}

const bunRedis: Library = {
  name: "Bun.RedisClient",
  protocols: [3],
  libName: null,
  async connect(options) {
    return new BunSession(await open(options), options);
  },
};

testLibrary(bunRedis);
