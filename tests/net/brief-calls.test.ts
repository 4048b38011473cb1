import { expect, test } from "bun:test";
import type { Context } from "../../src/engine/context.ts";
import { type CommandLiteral, Flag } from "../../src/engine/spec/spec.ts";
import { type NetServer, netServer } from "../support/net.ts";

/** How long each run of TICK and TOCK takes. */
const TICK_US = 10;
const LONG = "x".repeat(5000);

/** A server with commands that take time by its clock: TICK is brief, TOCK is not. */
function server(): NetServer {
  const literal = (name: string, flags: number): CommandLiteral<Context> => ({
    name,
    arity: -1,
    flags,
    since: "1.0.0",
    group: "string",
    summary: "Lets time pass.",
    complexity: "O(N)",
    run(cx) {
      net.clock.advanceUs(TICK_US);
      if (cx.argc > 2) cx.reply.bulkText(LONG);
      else cx.reply.ok();
    },
  });
  const commands = [literal("tick", Flag.Readonly | Flag.Fast), literal("tock", Flag.Readonly)];
  const net = netServer({ deaf: true, commands: commands as unknown as CommandLiteral[] });
  return net;
}

function usec(net: NetServer, name: string): number {
  return net.engine.commands.lookup(name)?.usec ?? Number.NaN;
}

function slowEntries(net: NetServer): string {
  return net.fake().receive("SLOWLOG LEN\r\n");
}

test("brief calls of a pipeline share its time", () => {
  const net = server();
  net.fake().receive("TICK\r\n".repeat(40));
  expect(net.engine.commands.lookup("tick")?.calls).toBe(40);
  expect(usec(net, "tick")).toBeCloseTo(40 * TICK_US);
  expect(net.engine.stats.commandsUs).toBeCloseTo(40 * TICK_US);
  expect(net.engine.lastUs).toBe(net.clock.monotonicUs());
});

test("a call that is not brief is timed by itself", () => {
  const net = server();
  net.fake().receive("TICK\r\nTICK\r\nTICK\r\nTOCK\r\nTICK\r\n");
  expect(usec(net, "tick")).toBeCloseTo(4 * TICK_US);
  expect(usec(net, "tock")).toBeCloseTo(TICK_US);
});

test("long arguments and long replies are not brief, and no time gets lost", () => {
  const net = server();
  net.fake().receive(`TICK\r\nTICK\r\nTICK ${LONG}\r\nTICK a b\r\nTOCK\r\n`);
  expect(usec(net, "tick") + usec(net, "tock")).toBeCloseTo(5 * TICK_US);
  expect(net.engine.briefs.count).toBe(0);
});

test("a sensitive slow log times every call", () => {
  const net = server();
  net.fake().receive(`CONFIG SET slowlog-log-slower-than ${TICK_US}\r\n`);
  net.fake().receive("TICK\r\n".repeat(4));
  expect(slowEntries(net)).toBe(":4\r\n");
});

test("the slow log becomes sensitive in the middle of a pipeline", () => {
  const net = server();
  net.fake().receive(`TICK\r\nTICK\r\nCONFIG SET slowlog-log-slower-than ${TICK_US}\r\nTICK\r\nTICK\r\n`);
  expect(slowEntries(net)).toBe(":2\r\n");
});
