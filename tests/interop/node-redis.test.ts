// node-redis (the package `redis`) against our server.

import { createClient, WatchError } from "redis";
import type { ConnectOptions, Library, Listener, Session, Subscriber } from "./session.ts";
import { testLibrary } from "./suite.ts";

function clientOf({ transport, protocol, password, database, name }: ConnectOptions) {
  const reconnectStrategy = false as const;
  return createClient({
    RESP: protocol,
    socket:
      transport.kind === "unix"
        ? { path: transport.path, tls: false, reconnectStrategy }
        : transport.kind === "tls"
          ? { host: "127.0.0.1", port: transport.port, tls: true, ca: transport.ca, reconnectStrategy }
          : { host: "127.0.0.1", port: transport.port, reconnectStrategy },
    ...(password === null ? {} : { password }),
    ...(name === null ? {} : { name }),
    database,
  });
}

type Client = ReturnType<typeof clientOf>;

async function open(client: Client): Promise<Client> {
  // Errors come by the promises too; without a listener they would end the process.
  client.on("error", () => {});
  await client.connect();
  return client;
}

class NodeRedisSubscriber implements Subscriber {
  readonly #client: Client;
  constructor(client: Client) {
    this.#client = client;
  }
  async subscribe(channel: string, listener: Listener): Promise<void> {
    await this.#client.subscribe(channel, listener);
  }
  async unsubscribe(channel: string): Promise<void> {
    await this.#client.unsubscribe(channel);
  }
  async psubscribe(pattern: string, listener: Listener): Promise<void> {
    await this.#client.pSubscribe(pattern, listener);
  }
  async ssubscribe(channel: string, listener: Listener): Promise<void> {
    await this.#client.sSubscribe(channel, listener);
  }
  close(): void {
    this.#client.destroy();
  }
}

class NodeRedisSession implements Session {
  readonly #client: Client;
  constructor(client: Client) {
    this.#client = client;
  }
  set(key: string, value: string): Promise<unknown> {
    return this.#client.set(key, value);
  }
  get(key: string): Promise<string | null> {
    return this.#client.get(key);
  }
  call(...args: string[]): Promise<unknown> {
    return this.#client.sendCommand(args);
  }
  async pipeline(commands: readonly (readonly string[])[]): Promise<unknown[]> {
    // Commands of one turn of the event loop leave together.
    return await Promise.all(commands.map((args) => this.call(...args).catch((error: unknown) => error)));
  }
  async transaction(
    commands: readonly (readonly string[])[],
    watch?: string,
    meanwhile?: () => Promise<unknown>,
  ): Promise<unknown[] | null> {
    if (watch !== undefined) await this.#client.watch(watch);
    await meanwhile?.();
    const multi = this.#client.multi();
    for (const args of commands) multi.addCommand([...args]);
    try {
      return await multi.exec();
    } catch (error) {
      if (error instanceof WatchError) return null;
      throw error;
    }
  }
  async subscriber(): Promise<Subscriber> {
    return new NodeRedisSubscriber(await open(this.#client.duplicate() as Client));
  }
  close(): void {
    this.#client.destroy();
  }
}

const nodeRedis: Library = {
  name: "node-redis",
  protocols: [2, 3],
  libName: "node-redis",
  async connect(options) {
    return new NodeRedisSession(await open(clientOf(options)));
  },
};

testLibrary(nodeRedis);
