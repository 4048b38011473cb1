// Rehearsals of traffic: they are sound, stay within their own server, and leave nothing behind.

import { afterEach, expect, spyOn, test } from "bun:test";
import { ARENA_PAGES, CLIENTS, TRAFFIC, TrafficRehearsal, TURNS } from "../../src/cli/server/traffic-rehearsal.ts";
import { fullPicture } from "../persistence/rdb-support.ts";
import { testServer } from "../support/engine.ts";

const spies: { mockRestore(): void }[] = [];
afterEach(() => {
  for (const spy of spies.splice(0)) spy.mockRestore();
});

test("no command of the traffic fails", () => {
  const client = testServer().connect();
  for (const command of [...TRAFFIC, ...TRAFFIC].flatMap((input) => input.split("; "))) {
    const words = command.replaceAll("#", "000001").split(" ");
    expect(`${command}: ${Buffer.from(client.raw(...words)).toString("latin1")}`).not.toMatch(/: -/);
  }
});

test("a rehearsal runs on a server of its own, whose connections and memory are gone afterwards", async () => {
  const server = testServer();
  const { engine } = server;
  server.connect().line("SET key:000001 mine");
  const picture = fullPicture(engine);
  const counted = () => [engine.clients.size, engine.stats.commandsProcessed, engine.stats.connectionsReceived];
  const before = counted();
  const rehearsal = new TrafficRehearsal(engine);
  await rehearsal.open();
  const { practised } = rehearsal;
  expect(practised.clients.size).toBe(CLIENTS);
  while (!rehearsal.isOver) rehearsal.takeTurn();
  // Some of the inputs are pipelines.
  expect(practised.stats.commandsProcessed).toBeGreaterThan(CLIENTS * TURNS);
  expect(practised.stats.errorReplies).toBe(0);
  expect(practised.keyspace.first?.size).toBeGreaterThan(1000);
  const { arena } = practised.keyspace;
  arena.check();
  // Nothing was reserved besides the pages that it began with.
  expect(arena.u8.map((segment) => segment.length >> 20)).toEqual([ARENA_PAGES]);
  rehearsal.close();
  expect(arena.usedBytes).toBe(0);
  while (practised.clients.size > 0) await Bun.sleep(1);
  expect(counted()).toEqual(before);
  expect(fullPicture(engine)).toEqual(picture);
});

test("a host that has no more sockets does without", async () => {
  let tried = 0;
  const refuse = (): never => {
    tried++;
    throw Object.assign(new Error("Failed to listen"), { code: "EMFILE" });
  };
  spies.push(spyOn(Bun, "listen").mockImplementation(refuse));
  const rehearsal = new TrafficRehearsal(testServer().engine);
  await rehearsal.begin();
  expect([tried, rehearsal.isOver, rehearsal.practised.clients.size]).toEqual([1, false, 0]);
});
