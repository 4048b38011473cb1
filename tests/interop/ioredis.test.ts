// ioredis against our server.

import { Redis, type RedisOptions } from "ioredis";
import type { ConnectOptions, Library, Listener, Session, Subscriber } from "./session.ts";
import { testLibrary } from "./suite.ts";

function optionsOf({ transport, protocol, password, database, name }: ConnectOptions): RedisOptions {
  return {
    ...(transport.kind === "unix" ? { path: transport.path } : { host: "127.0.0.1", port: transport.port }),
    ...(transport.kind === "tls" ? { tls: { ca: transport.ca } } : {}),
    ...(password === null ? {} : { password: Buffer.from(password, "utf8").toString() }),
    ...(name === null ? {} : { connectionName: name }),
    db: database,
    protocol,
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  };
}

async function open(options: RedisOptions): Promise<Redis> {
  const redis = new Redis(options);
  let failure: Error | null = null;
  redis.on("error", (error: Error) => {
    failure ??= error;
  });
  await redis.connect().catch((error: Error) => {
    throw failure ?? error;
  });
  if (failure !== null) throw failure;
  return redis;
}

class IoredisSubscriber implements Subscriber {
  readonly #redis: Redis;
  constructor(redis: Redis) {
    this.#redis = redis;
  }
  async subscribe(channel: string, listener: Listener): Promise<void> {
    this.#redis.on("message", (from: string, message: string) => listener(message, from));
    await this.#redis.subscribe(channel);
  }
  async unsubscribe(channel: string): Promise<void> {
    await this.#redis.unsubscribe(channel);
  }
  async psubscribe(pattern: string, listener: Listener): Promise<void> {
    this.#redis.on("pmessage", (_pattern: string, from: string, message: string) => listener(message, from));
    await this.#redis.psubscribe(pattern);
  }
  async ssubscribe(channel: string, listener: Listener): Promise<void> {
    this.#redis.on("smessage", (from: string, message: string) => listener(message, from));
    await this.#redis.ssubscribe(channel);
  }
  close(): void {
    this.#redis.disconnect();
  }
}

class IoredisSession implements Session {
  readonly #redis: Redis;
  constructor(redis: Redis) {
    this.#redis = redis;
  }
  set(key: string, value: string): Promise<unknown> {
    return this.#redis.set(key, value);
  }
  get(key: string): Promise<string | null> {
    return this.#redis.get(key);
  }
  call(...args: string[]): Promise<unknown> {
    const [name, ...rest] = args;
    return this.#redis.call(name, ...rest);
  }
  async pipeline(commands: readonly (readonly string[])[]): Promise<unknown[]> {
    const pipeline = this.#redis.pipeline();
    for (const [name, ...rest] of commands) pipeline.call(name, ...rest);
    const replies = (await pipeline.exec()) ?? [];
    return replies.map(([error, value]) => error ?? value);
  }
  async transaction(
    commands: readonly (readonly string[])[],
    watch?: string,
    meanwhile?: () => Promise<unknown>,
  ): Promise<unknown[] | null> {
    if (watch !== undefined) await this.#redis.watch(watch);
    await meanwhile?.();
    const multi = this.#redis.multi();
    for (const [name, ...rest] of commands) multi.call(name, ...rest);
    const replies = await multi.exec();
    return replies === null ? null : replies.map(([error, value]) => error ?? value);
  }
  async subscriber(): Promise<Subscriber> {
    return new IoredisSubscriber(await open({ ...this.#redis.options }));
  }
  close(): void {
    this.#redis.disconnect();
  }
}

const ioredis: Library = {
  name: "ioredis",
  protocols: [2, 3],
  libName: "ioredis",
  async connect(options) {
    return new IoredisSession(await open(optionsOf(options)));
  },
};

testLibrary(ioredis);
