// Turns: a client that sends a lot at once is served a few milliseconds at a time, so that others need not wait for the end of it.

import { describe, expect, test } from "bun:test";
import type { ManualClock } from "../../src/base/clock.ts";
import { command as literal } from "../../src/engine/context.ts";
import { Flag } from "../../src/engine/spec/spec.ts";
import { encodeCommand } from "../support/client.ts";
import { type NetServer, netServer } from "../support/net.ts";

const command = (...args: (string | number)[]): string => encodeCommand(args).toString("latin1");

/** A server with a command TOIL that takes a millisecond of its manual clock. */
function toilsome(): NetServer {
  return netServer({
    deaf: true,
    commands: [
      literal({
        name: "toil",
        arity: 1,
        flags: Flag.Readonly,
        since: "0.0.0",
        group: "generic",
        summary: "Takes a millisecond.",
        complexity: "O(N)",
        syntax: "",
        run(cx) {
          (cx.engine.clock as ManualClock).advanceMs(1);
          cx.reply.ok();
        },
      }),
    ],
  });
}

const replies = (output: string): number => output.split("+OK\r\n").length - 1;

describe("a long pipeline", () => {
  test("lets others go ahead, and is served to its end in order", async () => {
    const server = toilsome();
    const busy = server.fake();
    const other = server.fake();
    busy.receive(command("TOIL").repeat(500) + command("SET", "k", "last") + command("GET", "k"));
    const served = replies(busy.output);
    expect(served).toBeGreaterThan(0);
    expect(served).toBeLessThan(6);
    expect(other.receive(command("EXISTS", "k"))).toBe(":0\r\n");
    // Comes after what still waits.
    busy.receive(command("PING"));
    while (!busy.output.endsWith("+PONG\r\n")) await new Promise((resolve) => setImmediate(resolve));
    expect(busy.output).toBe(`${"+OK\r\n".repeat(501)}$4\r\nlast\r\n+PONG\r\n`);
    server.stop();
  });

  test("of a peer that sends nothing more is served before the connection is closed", async () => {
    const server = toilsome();
    const busy = server.fake();
    busy.receive(command("TOIL").repeat(300) + command("SET", "k", "last"));
    busy.connection.peerEnded();
    while (!busy.ended) await new Promise((resolve) => setImmediate(resolve));
    expect(replies(busy.output)).toBe(301);
    expect(server.fake().receive(command("GET", "k"))).toBe("$4\r\nlast\r\n");
    server.stop();
  });

  test("of a peer that goes away is forgotten", async () => {
    const server = toilsome();
    const busy = server.fake();
    busy.receive(command("TOIL").repeat(300) + command("SET", "k", "last"));
    busy.end();
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(server.fake().receive(command("EXISTS", "k"))).toBe(":0\r\n");
    server.stop();
  });
});
