// Tables that change their size by themselves: in long slices when the server has nothing else to do, in short ones while it executes commands.

import { expect, test } from "bun:test";
import { Cron } from "../../src/engine/cron.ts";
import { testServer } from "../support/engine.ts";

test("a slice is shorter while commands are executed", () => {
  const { engine, clock, connect } = testServer();
  const client = connect();
  client.line("SET key value");
  // Every look at the clock takes time, and there is always more to move.
  const read = clock.monotonicUs.bind(clock);
  clock.monotonicUs = () => {
    clock.advanceUs(10);
    return read();
  };
  let moves = 0;
  engine.keyspace.databases[0].rehash = () => {
    moves++;
    return true;
  };
  const cron = new Cron(engine);
  const movesOfSlice = (): number => {
    const before = moves;
    expect(cron.runSlice()).toBe(true);
    return moves - before;
  };
  const busy = movesOfSlice();
  const idle = movesOfSlice();
  expect(busy).toBeGreaterThan(0);
  expect(idle).toBeGreaterThan(5 * busy);
  expect(movesOfSlice()).toBe(idle);
  client.line("GET key");
  expect(movesOfSlice()).toBe(busy);
});
