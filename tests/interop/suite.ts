// The same dialogue for every client library, over every transport and protocol that it has.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { PASSWORD, type Reachable, startReachable } from "./servers.ts";
import type { ConnectOptions, Library, Listener, Session, Transport } from "./session.ts";

const KINDS: readonly Transport["kind"][] = ["tcp", "unix", "tls"];
const PIPELINE_LENGTH = 1000;
const LARGE_BYTES = 1024 * 1024;
const MESSAGE_LIMIT_MS = 10_000;

/** Collects messages and waits for as many as were asked for. */
class Inbox {
  readonly #messages: string[] = [];
  #wake: () => void = () => {};
  readonly listener: Listener = (message, channel) => {
    this.#messages.push(`${channel}: ${message}`);
    this.#wake();
  };

  async first(count: number): Promise<string[]> {
    const deadlineMs = performance.now() + MESSAGE_LIMIT_MS;
    while (this.#messages.length < count) {
      if (performance.now() > deadlineMs) throw new Error(`only ${this.#messages.length} of ${count} messages came`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, 100);
      });
    }
    return [...this.#messages];
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function rejection(promise: Promise<unknown>): Promise<string> {
  return await promise.then((value) => `no error but ${value}`, message);
}

/** Declares the tests of one library. */
export function testLibrary(library: Library): void {
  let ways: Reachable;
  beforeAll(async () => {
    ways = await startReachable();
  });
  afterAll(async () => {
    await ways?.stop();
  });

  function options(kind: Transport["kind"], protocol: 2 | 3, changes: Partial<ConnectOptions> = {}): ConnectOptions {
    const transport = ways.transports.find((each) => each.kind === kind);
    if (transport === undefined) throw new Error(`no transport ${kind}`);
    return { transport, protocol, password: PASSWORD, database: 0, name: null, ...changes };
  }

  async function withSession(from: ConnectOptions, body: (session: Session) => Promise<void>): Promise<void> {
    const session = await library.connect(from);
    try {
      await body(session);
    } finally {
      session.close();
    }
  }

  for (const kind of KINDS) {
    for (const protocol of library.protocols) {
      describe(`${library.name} over ${kind}, RESP${protocol}`, () => {
        const open = (body: (session: Session) => Promise<void>, changes: Partial<ConnectOptions> = {}) =>
          withSession(options(kind, protocol, changes), body);

        test("connects, names itself and is listed", async () => {
          await open(
            async (session) => {
              const line = String(await session.call("CLIENT", "INFO"));
              expect(line).toContain(` resp=${protocol} `);
              expect(line).toContain(" user=default ");
              expect(line).toContain(" db=3 ");
              expect(line).toContain(" name=interop ");
              expect(line).toMatch(kind === "unix" ? / flags=U / : / flags=N /);
              if (library.libName !== null) expect(line).toMatch(new RegExp(` lib-name=\\S*${library.libName}`));
            },
            { name: "interop", database: 3 },
          );
        });

        test("reads what it wrote, in its database", async () => {
          await open(
            async (session) => {
              await session.set("k", "schöner Wert\r\n");
              expect(await session.get("k")).toBe("schöner Wert\r\n");
              expect(await session.get("absent")).toBeNull();
            },
            { database: 5 },
          );
          await open(async (session) => {
            expect(await session.get("k")).toBeNull();
            const large = "x".repeat(LARGE_BYTES);
            await session.set("large", large);
            expect((await session.get("large")) === large).toBe(true);
          });
        });

        test("pipelines, with an error among the replies", async () => {
          await open(async (session) => {
            const commands = Array.from({ length: PIPELINE_LENGTH }, (_, i) => ["SET", `p:${i}`, String(i)]);
            commands[500] = ["SET", "p:500"];
            const replies = await session.pipeline(commands);
            expect(replies.length).toBe(PIPELINE_LENGTH);
            expect(message(replies[500])).toContain("ERR wrong number of arguments for 'set' command");
            expect(replies.filter((reply) => reply === "OK").length).toBe(PIPELINE_LENGTH - 1);
            const values = await session.pipeline([
              ["GET", "p:0"],
              ["GET", "p:999"],
            ]);
            expect(values.map(String)).toEqual(["0", "999"]);
          });
        });

        test("runs transactions, and loses one to a watched key", async () => {
          await open(async (session) => {
            await session.set("t", "1");
            const replies = await session.transaction([
              ["INCR", "t"],
              ["GET", "t"],
            ]);
            expect(replies?.map(String)).toEqual(["2", "2"]);
            await open(async (other) => {
              const lost = await session.transaction([["INCR", "t"]], "t", () => other.set("t", "9"));
              expect(lost).toBeNull();
            });
            expect(await session.get("t")).toBe("9");
          });
        });

        test("listens to channels, patterns and shard channels", async () => {
          await open(async (session) => {
            const subscriber = await session.subscriber();
            const inbox = new Inbox();
            try {
              await subscriber.subscribe("news:1", inbox.listener);
              await session.call("PUBLISH", "news:1", "one");
              const wanted = ["news:1: one"];
              expect(await inbox.first(wanted.length)).toEqual(wanted);
              if (subscriber.ssubscribe !== undefined) {
                await subscriber.ssubscribe("shard", inbox.listener);
                await session.call("SPUBLISH", "shard", "two");
                wanted.push("shard: two");
                expect(await inbox.first(wanted.length)).toEqual(wanted);
              }
              await subscriber.unsubscribe("news:1");
              if (subscriber.psubscribe !== undefined) {
                await subscriber.psubscribe("news:*", inbox.listener);
                expect(await session.call("PUBLISH", "news:1", "three")).toBe(1);
                wanted.push("news:1: three");
                expect(await inbox.first(wanted.length)).toEqual(wanted);
              }
              expect(await session.call("PUBLISH", "other", "nobody")).toBe(0);
            } finally {
              subscriber.close();
            }
          });
        });

        test("tells errors with their codes", async () => {
          await open(async (session) => {
            expect(await rejection(session.call("NOSUCH", "x"))).toContain("ERR unknown command 'NOSUCH'");
            expect(await rejection(session.call("CLIENT", "MAINT_NOTIFICATIONS", "ON"))).toContain(
              "ERR unknown subcommand 'MAINT_NOTIFICATIONS'",
            );
            expect(await session.call("PING")).toBe("PONG");
          });
        });
      });
    }
  }

  test(`${library.name} is told when its password is wrong or missing`, async () => {
    for (const protocol of library.protocols) {
      const wrong = library.connect(options("tcp", protocol, { password: "wrong" }));
      expect(await rejection(wrong)).toContain("WRONGPASS");
    }
    const [protocol] = library.protocols;
    const missing = (async () => {
      const session = await library.connect(options("tcp", protocol, { password: null }));
      await session.call("GET", "k").finally(() => session.close());
    })();
    expect(await rejection(missing)).toContain("NOAUTH");
  });
}
