// A primary that sends nonsense, stops in the middle or sends a damaged snapshot: the replica says so, tries again, and keeps its data as long as it promises to.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ReplyError } from "../support/reply.ts";
import { info, type Node, startNode } from "./nodes.ts";
import { TEST_LIMIT_MS, until } from "./waiting.ts";
import { Writes } from "./writes.ts";

const ID = "0123456789abcdef0123456789abcdef01234567";
const MARK = "m".repeat(40);

/** What to send after the handshake, in one connection; then the connection is closed unless it is to stay. */
interface Answer {
  readonly bytes: Buffer;
  readonly stays?: boolean;
  /** Ends the connection with a reset, so many milliseconds after everything was sent. */
  readonly resetMs?: number;
}

/** A primary that answers the handshake as it should and then as it is told, one answer a connection; the last answer is repeated. */
class FakePrimary {
  readonly port: number;
  connections = 0;
  acks = 0;
  readonly #listener;

  constructor(answer: (connection: number) => Answer, ping = "+PONG\r\n") {
    const self = this;
    this.#listener = Bun.listen<{ text: string; unsent: Buffer; stays: boolean }>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open(socket) {
          socket.data = { text: "", unsent: Buffer.alloc(0), stays: false };
        },
        data(socket, chunk) {
          const text = chunk.toString("latin1");
          if (text.includes("ACK")) self.acks++;
          if (text.includes("PING")) socket.write(ping);
          for (const _ of text.matchAll(/REPLCONF\r\n\$\d+\r\n(?!ACK)/g)) socket.write("+OK\r\n");
          if (!text.includes("PSYNC")) return;
          const { bytes, stays = false, resetMs = -1 } = answer(self.connections++);
          socket.data.stays = stays || resetMs >= 0;
          if (resetMs >= 0) setTimeout(() => socket.terminate(), resetMs);
          socket.data.unsent = bytes;
          self.#flush(socket);
        },
        drain: (socket) => self.#flush(socket),
      },
    });
    this.port = this.#listener.port;
  }

  #flush(socket: Bun.Socket<{ unsent: Buffer; stays: boolean }>): void {
    const { data } = socket;
    if (data.unsent.length > 0) {
      const sent = socket.write(data.unsent);
      if (sent > 0) data.unsent = data.unsent.subarray(sent);
    }
    if (data.unsent.length === 0 && !data.stays) socket.end();
  }

  stop(): void {
    this.#listener.stop(true);
  }
}

let snapshot: Buffer;
let digest: string;
let replica: Node;

beforeAll(async () => {
  const source = await startNode("ts");
  await new Writes(5).send(source.client, 150);
  await source.client.must("SELECT", 0);
  await source.client.must("DEBUG", "SET-ACTIVE-EXPIRE", 0);
  await source.client.must("SET", "present", "yes");
  await source.client.must("SAVE");
  snapshot = readFileSync(join(source.server.dir, "dump.rdb"));
  digest = String(await source.client.must("DEBUG", "DIGEST"));
  source.client.close();
  await source.server.stop();
  replica = await startNode("ts");
}, TEST_LIMIT_MS);

afterAll(async () => {
  replica.client.close();
  await replica.server.stop();
}, TEST_LIMIT_MS);

const fullResync = (body: Buffer, form: "counted" | "marked"): Buffer =>
  Buffer.concat([
    Buffer.from(`+FULLRESYNC ${ID} 1000\r\n${form === "counted" ? `$${snapshot.length}` : `$EOF:${MARK}`}\r\n`),
    body,
  ]);

const whole = (form: "counted" | "marked"): Answer => ({
  bytes: fullResync(form === "counted" ? snapshot : Buffer.concat([snapshot, Buffer.from(MARK)]), form),
  stays: true,
});

/** Makes the server a primary with one key of its own. */
async function startOver(load: string): Promise<void> {
  const { client } = replica;
  await client.must("REPLICAOF", "NO", "ONE");
  await client.must("FLUSHALL");
  await client.must("SET", "own", "data");
  await client.must("CONFIG", "SET", "repl-diskless-load", load);
}

/** Waits for the data set of the snapshot. */
async function loaded(primary: FakePrimary): Promise<void> {
  await until(
    () => `no link after ${primary.connections} connections\n${replica.server.log().slice(-3000)}`,
    async () => (await info(replica, "master_link_status")) === "up" && primary.acks > 0,
  );
  expect(await replica.client.must("DEBUG", "DIGEST")).toBe(digest);
}

for (const form of ["counted", "marked"] as const) {
  for (const load of ["disabled", "swapdb", "on-empty-db"]) {
    test(
      `a snapshot (${form}) cut short anywhere: repl-diskless-load ${load}`,
      async () => {
        await startOver(load);
        const step = Math.ceil(snapshot.length / 60);
        const cuts = Math.floor(snapshot.length / step);
        const primary = new FakePrimary((n) =>
          n < cuts ? { bytes: fullResync(snapshot.subarray(0, n * step), form) } : whole(form),
        );
        try {
          await replica.client.must("REPLICAOF", "127.0.0.1", primary.port);
          while (primary.connections <= cuts) {
            const own = await replica.client.call("GET", "own");
            // An error: it is loading. What must not be is that the data has gone.
            const isKept = own === "data" || own instanceof ReplyError;
            if (load !== "on-empty-db" && primary.connections <= cuts) expect(isKept).toBe(true);
            await Bun.sleep(1);
          }
          await loaded(primary);
        } finally {
          primary.stop();
        }
      },
      TEST_LIMIT_MS,
    );
  }
}

test(
  "damaged bytes do not end the server, and swapdb keeps what it has",
  async () => {
    await startOver("swapdb");
    const damages = 40;
    const primary = new FakePrimary((n) => {
      if (n >= damages) return whole("marked");
      const damaged = Buffer.from(snapshot);
      // The checksum finds what the reader does not.
      damaged[9 + Math.floor(((snapshot.length - 18) * n) / damages)] ^= 0x55;
      // A length that has become longer waits for more: the connection ends then.
      return { bytes: fullResync(Buffer.concat([damaged, Buffer.from(MARK)]), "marked") };
    });
    try {
      await replica.client.must("REPLICAOF", "127.0.0.1", primary.port);
      await loaded(primary);
      expect(primary.connections).toBe(damages + 1);
    } finally {
      primary.stop();
    }
  },
  TEST_LIMIT_MS,
);

test(
  "a damaged file is loaded anew from the primary",
  async () => {
    await startOver("disabled");
    const primary = new FakePrimary((n) => {
      if (n > 0) return whole("counted");
      const damaged = Buffer.from(snapshot);
      damaged[damaged.length - 1] ^= 1;
      return { bytes: fullResync(damaged, "counted"), stays: true };
    });
    try {
      await replica.client.must("REPLICAOF", "127.0.0.1", primary.port);
      await loaded(primary);
      expect(primary.connections).toBe(2);
      await replica.server.waitForLog("synchronization DB from disk, check server logs.");
    } finally {
      primary.stop();
    }
  },
  TEST_LIMIT_MS,
);

const NONSENSE: readonly (readonly [name: string, answer: string, line: string])[] = [
  ["an error for PSYNC", "-LOADING please wait\r\n", "Master is currently unable to PSYNC but should be in the future"],
  ["a wrong header", `+FULLRESYNC ${ID} 0\r\n*1\r\n`, "Bad protocol from MASTER, the first byte is not '$'"],
  ["an error for a header", `+FULLRESYNC ${ID} 0\r\n-ERR no\r\n`, "MASTER aborted replication with an error: ERR no"],
  ["an unknown reply", "+WHAT\r\n", "Unexpected reply to PSYNC from master: +WHAT"],
];

for (const [name, answer, line] of NONSENSE) {
  test(
    `${name} is reported, and tried again`,
    async () => {
      await startOver("disabled");
      const before = replica.server.log().length;
      const primary = new FakePrimary((n) => (n < 1 ? { bytes: Buffer.from(answer) } : whole("counted")));
      try {
        await replica.client.must("REPLICAOF", "127.0.0.1", primary.port);
        await loaded(primary);
        await until(line, () => replica.server.log().slice(before).includes(line));
      } finally {
        primary.stop();
      }
    },
    TEST_LIMIT_MS,
  );
}

test(
  "a stream that is none ends the link, and only a full sync follows",
  async () => {
    await startOver("disabled");
    const set = "*3\r\n$3\r\nSET\r\n$5\r\nextra\r\n$1\r\n1\r\n";
    const primary = new FakePrimary((n) => {
      const { bytes } = whole("counted");
      return { bytes: n === 0 ? Buffer.concat([bytes, Buffer.from(`${set}SET x y\r\n`)]) : bytes, stays: true };
    });
    try {
      await replica.client.must("REPLICAOF", "127.0.0.1", primary.port);
      await until("another connection", () => primary.connections === 2);
      await loaded(primary);
      await replica.server.waitForLog("Closing the master connection and discarding the cached master");
    } finally {
      primary.stop();
    }
  },
  TEST_LIMIT_MS,
);

for (const load of ["disabled", "swapdb"]) {
  test(
    `a connection that ends while the data set is loaded is noticed (repl-diskless-load ${load})`,
    async () => {
      await startOver(load);
      const primary = new FakePrimary((n) => (n === 0 ? { ...whole("counted"), resetMs: 30 } : whole("counted")));
      try {
        await replica.client.must("CONFIG", "SET", "key-load-delay", 3000);
        await replica.client.must("REPLICAOF", "127.0.0.1", primary.port);
        await until(
          () => `${primary.connections} connections\n${replica.server.log().slice(-3000)}`,
          () => primary.connections === 2,
        );
        await replica.client.must("CONFIG", "SET", "key-load-delay", 0);
        await loaded(primary);
      } finally {
        primary.stop();
        await replica.client.must("CONFIG", "SET", "key-load-delay", 0);
      }
    },
    TEST_LIMIT_MS,
  );
}
