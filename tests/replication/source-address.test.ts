// bind-source-addr: where a replica connects from.

import { expect, test } from "bun:test";
import { follow, info, until, withNodes } from "./nodes.ts";

// Every address of 127/8 is this host's on Linux, and only there.
const ANOTHER = process.platform === "linux" ? "127.0.0.9" : "127.0.0.1";

/** The address from which a replica with this setting reaches its primary. */
async function sourceOf(setting: string): Promise<string> {
  let source = "";
  await withNodes(["ts", "ts"], async (primary, replica) => {
    await replica.client.must("CONFIG", "SET", "bind-source-addr", setting);
    await follow(replica, primary);
    await until(
      async () => {
        source = /ip=([^,]*),port=\d+,state=online/.exec(await info(primary, "slave0"))?.[1] ?? "";
        return source !== "";
      },
      async () => "the replica is not online",
    );
  });
  return source;
}

test("a replica connects from bind-source-addr", async () => {
  expect(await sourceOf(ANOTHER)).toBe(ANOTHER);
});

test("it may be a name", async () => {
  expect(await sourceOf("localhost")).toBe("127.0.0.1");
});

test("an address of another host is passed over", async () => {
  expect(await sourceOf("203.0.113.5")).toBe("127.0.0.1");
});
