// MIGRATE between redis-server and ours: what it moves, what it leaves, and what it says.

import { expect, test } from "bun:test";
import { describeOracle } from "../support/oracle.ts";
import { freePort } from "../support/process.ts";
import type { Reply, ReplyError } from "../support/reply.ts";
import { converge, errorOf, follow, info, type Kind, withNodes } from "./nodes.ts";
import { TEST_LIMIT_MS } from "./waiting.ts";
import { Writes } from "./writes.ts";

describeOracle("MIGRATE", () => {
  for (const [from, to] of [
    ["ts", "redis"],
    ["redis", "ts"],
    ["ts", "ts"],
  ] as [Kind, Kind][]) {
    test(
      `from ${from} to ${to}`,
      async () => {
        await withNodes([from, to], async (source, target) => {
          const { port } = target.server;
          const migrate = (...args: (string | number)[]) => source.client.call("MIGRATE", "127.0.0.1", port, ...args);
          await new Writes(13).send(source.client, 1500);
          await source.client.must("SELECT", 0);
          for (const key of (await source.client.must("KEYS", "*")) as string[])
            await source.client.must("PERSIST", key);
          await source.client.must("SET", "with a time", "1", "EX", 1000);
          const keys = (await source.client.must("KEYS", "*")) as string[];
          const digest = new Map<string, string>();
          for (const key of keys) digest.set(key, String(await source.client.must("DEBUG", "DIGEST-VALUE", key)));
          expect(await migrate(keys[0], 0, 5000, "COPY")).toBe("OK");
          expect(await source.client.must("EXISTS", keys[0])).toBe(1);
          expect(await errorOf(source, "MIGRATE", "127.0.0.1", port, keys[0], 0, 5000)).toBe(
            "ERR Target instance replied with error: BUSYKEY Target key name already exists.",
          );
          expect(await source.client.must("EXISTS", keys[0])).toBe(1);
          expect(await migrate("", 0, 5000, "REPLACE", "KEYS", ...keys, "missing")).toBe("OK");
          expect(await source.client.must("EXISTS", ...keys)).toBe(0);
          for (const key of keys)
            expect([key, String(await target.client.must("DEBUG", "DIGEST-VALUE", key))]).toEqual([
              key,
              digest.get(key) as string,
            ]);
          expect(Number(await target.client.must("TTL", "with a time"))).toBeGreaterThan(900);
          expect(await migrate("missing", 0, 5000)).toBe("NOKEY");
          await source.client.must("SET", "other", "1");
          expect(await migrate("other", 3, 5000)).toBe("OK");
          await target.client.must("SELECT", 3);
          expect(await target.client.must("GET", "other")).toBe("1");
        });
      },
      TEST_LIMIT_MS,
    );
  }

  test(
    "errors, passwords and connections that end",
    async () => {
      await withNodes(["ts", "redis"], async (source, target) => {
        const { port } = target.server;
        await source.client.must("SET", "key", "value");
        const nobody = freePort();
        expect(await errorOf(source, "MIGRATE", "127.0.0.1", nobody, "key", 0, 500)).toBe(
          "IOERR error or timeout connecting to the client",
        );
        expect(await errorOf(source, "MIGRATE", "127.0.0.1", port, "key", 0, 500, "KEYS", "key")).toStartWith(
          "ERR When using MIGRATE KEYS option",
        );
        expect(await errorOf(source, "MIGRATE", "127.0.0.1", port, "key", 99, 500)).toBe(
          "ERR Target instance replied with error: ERR DB index is out of range",
        );
        await target.client.must("CONFIG", "SET", "requirepass", "secret");
        expect(await errorOf(source, "MIGRATE", "127.0.0.1", port, "key", 0, 500, "AUTH", "wrong")).toStartWith(
          "ERR Target instance replied with error: WRONGPASS",
        );
        expect(await source.client.must("EXISTS", "key")).toBe(1);
        for (const auth of [
          ["AUTH", "secret"],
          ["AUTH2", "default", "secret"],
        ]) {
          await source.client.must("SET", "key", "value");
          expect(await source.client.call("MIGRATE", "127.0.0.1", port, "key", 0, 5000, "REPLACE", ...auth)).toBe("OK");
          expect(await source.client.must("EXISTS", "key")).toBe(0);
        }
        expect(await info(source, "migrate_cached_sockets")).toBe("1");
        // The connection that is kept is dead now: another one is made.
        await target.client.must("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
        await source.client.must("SET", "key", "value");
        expect(
          await source.client.call("MIGRATE", "127.0.0.1", port, "key", 0, 5000, "REPLACE", "AUTH", "secret"),
        ).toBe("OK");
        // A target that does not answer.
        await source.client.must("SET", "key", "value");
        target.server.signal("SIGSTOP");
        expect(await errorOf(source, "MIGRATE", "127.0.0.1", port, "key", 0, 200, "REPLACE", "AUTH", "secret")).toBe(
          "IOERR error or timeout reading to target instance",
        );
        target.server.signal("SIGCONT");
        expect(await source.client.must("GET", "key")).toBe("value");
      });
    },
    TEST_LIMIT_MS,
  );

  test(
    "within a transaction: everything waits",
    async () => {
      await withNodes(["ts", "redis", "redis"], async (source, target, replica) => {
        const { port } = target.server;
        await follow(replica, source);
        await source.client.must("MSET", "a", "1", "b", "2", "c", "3");
        const move = ["MIGRATE", "127.0.0.1", port, "", 2, 20_000, "REPLACE"];
        const transaction = async (...commands: (string | number)[][]): Promise<Reply[]> =>
          (await source.client.pipeline([["MULTI"], ...commands, ["EXEC"]])).at(-1) as Reply[];
        const moved = await transaction(["INCR", "c"], [...move, "KEYS", "a", "b", "none"], ["EXISTS", "a", "b", "c"]);
        expect(moved).toEqual([4, "OK", 1]);
        await target.client.must("SELECT", 2);
        expect(await target.client.must("MGET", "a", "b")).toEqual(["1", "2"]);
        await converge(source, [replica], "after the move");
        expect(await replica.client.must("KEYS", "*")).toEqual(["c"]);
        await target.client.must("CONFIG", "SET", "requirepass", "secret");
        const refused = await transaction([...move, "AUTH", "wrong", "KEYS", "c"], ["GET", "c"]);
        expect((refused[0] as ReplyError).message).toContain("Target instance replied with error: WRONGPASS");
        expect(refused[1]).toBe("4");
        const accepted = await transaction([...move, "COPY", "AUTH", "secret", "KEYS", "c"], ["GET", "c"]);
        expect(accepted).toEqual(["OK", "4"]);
        target.server.signal("SIGSTOP");
        const stopped = await transaction(["MIGRATE", "127.0.0.1", port, "c", 0, 200, "AUTH", "secret"], ["GET", "c"]);
        expect((stopped[0] as ReplyError).message).toContain("IOERR error or timeout reading to target instance");
        target.server.signal("SIGCONT");
        const nobody = await transaction(["MIGRATE", "127.0.0.1", freePort(), "c", 0, 500]);
        expect((nobody[0] as ReplyError).message).toContain("IOERR error or timeout connecting to the client");
      });
    },
    TEST_LIMIT_MS,
  );

  test(
    "writes wait while keys move, and replicas hear of it as DEL",
    async () => {
      await withNodes(["ts", "redis", "redis"], async (source, target, replica) => {
        await follow(replica, source);
        await converge(source, [replica], "at first");
        await source.client.must("MSET", "a", "1", "b", "2", "c", "3");
        const other = await source.server.connect();
        target.server.signal("SIGSTOP");
        const moved = source.client.call("MIGRATE", "127.0.0.1", target.server.port, "", 0, 20_000, "KEYS", "a", "b");
        await Bun.sleep(100);
        expect(await other.call("GET", "a")).toBe("1");
        const written = other.call("APPEND", "a", "late");
        await Bun.sleep(50);
        target.server.signal("SIGCONT");
        expect(await moved).toBe("OK");
        expect(await written).toBe(4);
        expect(await target.client.must("MGET", "a", "b", "c")).toEqual(["1", "2", null]);
        expect(await source.client.must("MGET", "a", "b", "c")).toEqual(["late", null, "3"]);
        await converge(source, [replica], "at last");
        expect(await replica.client.must("MGET", "a", "b", "c")).toEqual(["late", null, "3"]);
        other.close();
      });
    },
    TEST_LIMIT_MS,
  );
});
