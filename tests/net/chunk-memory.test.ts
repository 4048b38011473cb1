/** A chunk's memory is used again as soon as its commands have run: nothing that outlives the command may be a view of it. */
import { expect, test } from "bun:test";
import { RespClient } from "../support/client.ts";
import { startServer } from "../support/server.ts";

test("long values survive the chunks that brought them", async () => {
  const server = await startServer();
  const client = await RespClient.connect({ port: server.port });
  try {
    const sizes = [600, 60_000, 130_000, 140_000, 200_000, 300_000, 1_000_000];
    for (let round = 0; round < 3; round++) {
      for (const size of sizes) {
        const value = String.fromCharCode(97 + round).repeat(size);
        expect(String(await client.call("SET", `k${size}`, value))).toBe("OK");
        await client.call("SET", "other", "z".repeat(size));
      }
      for (const size of sizes) {
        const got = String(await client.call("GET", `k${size}`));
        expect(got.length).toBe(size);
        expect(got).toBe(String.fromCharCode(97 + round).repeat(size));
      }
    }
  } finally {
    client.close();
    await server.stop();
  }
});
