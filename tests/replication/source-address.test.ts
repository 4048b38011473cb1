// bind-source-addr: where a replica connects from.

import { expect, test } from "bun:test";
import { follow, info, withNodes } from "./nodes.ts";
import { TEST_LIMIT_MS, until } from "./waiting.ts";

// Every address of 127/8 is this host's on Linux, and only there.
const ANOTHER = process.platform === "linux" ? "127.0.0.9" : "127.0.0.1";

/** The address from which a replica with this setting reaches its primary. */
async function sourceOf(setting: string): Promise<string> {
  let source = "";
  await withNodes(["ts", "ts"], async (primary, replica) => {
    await replica.client.must("CONFIG", "SET", "bind-source-addr", setting);
    await follow(replica, primary);
    source = await until("the replica is online", async () => {
      const address = /ip=([^,]*),port=\d+,state=online/.exec(await info(primary, "slave0"))?.[1];
      return address ?? false;
    });
  });
  return source;
}

test(
  "a replica connects from bind-source-addr",
  async () => {
    expect(await sourceOf(ANOTHER)).toBe(ANOTHER);
  },
  TEST_LIMIT_MS,
);

test(
  "it may be a name",
  async () => {
    expect(await sourceOf("localhost")).toBe("127.0.0.1");
  },
  TEST_LIMIT_MS,
);

test(
  "an address of another host is passed over",
  async () => {
    expect(await sourceOf("203.0.113.5")).toBe("127.0.0.1");
  },
  TEST_LIMIT_MS,
);
