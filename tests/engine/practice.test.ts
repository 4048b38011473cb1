// Practice: in turns until it is over, and not while a data set is loaded or somebody says no.

import { expect, test } from "bun:test";
import { ServerGate } from "../../src/engine/observer.ts";
import { practise, shareOfTime } from "../../src/engine/practice.ts";
import { testServer } from "../support/engine.ts";

/** Lets timers run until something holds; throws when it does not after a second. */
async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    if (tries === 500) throw new Error("it never comes");
    await Bun.sleep(2);
  }
}

test("a turn ends when its time is up, and there is none after the last step", async () => {
  const { engine, clock } = testServer();
  clock.threadUs = () => clock.monotonicUs();
  let steps = 0;
  practise(engine, () => {
    clock.advanceUs(200);
    return ++steps < 7;
  });
  // 600 us are more than a turn has.
  expect(steps).toBe(3);
  await until(() => steps === 7);
  await Bun.sleep(30);
  expect(steps).toBe(7);
});

test("nothing is done while a data set is loaded, or while it may not be", async () => {
  const { engine } = testServer();
  let steps = 0;
  let mayWork = true;
  engine.gate |= ServerGate.Loading;
  const work = () => ++steps < 2;
  practise(engine, work, () => mayWork);
  await Bun.sleep(20);
  expect(steps).toBe(0);
  mayWork = false;
  engine.gate &= ~ServerGate.Loading;
  await Bun.sleep(20);
  expect(steps).toBe(0);
  mayWork = true;
  await until(() => steps === 2);
});

test("the more is asked of the server, the smaller is the share of practice", () => {
  const share = (commands: number, us: number) => shareOfTime(commands, us, false);
  const [idle, serving, busy] = [share(0, 10_000), share(1, 10_000), share(800, 10_000)];
  expect(serving).toBeLessThan(idle);
  expect(busy).toBeLessThan(serving);
  // Ten commands in a turn that took no time by this clock are many, too.
  expect(share(10, 0)).toBe(busy);
  // A twentieth of what makes a server busy does not.
  expect(share(10, 100_000)).toBe(serving);
});

test("where processors are short, an idle server practises no more than one that serves", () => {
  expect(shareOfTime(0, 10_000, true)).toBe(shareOfTime(1, 10_000, false));
  expect(shareOfTime(800, 10_000, true)).toBe(shareOfTime(800, 10_000, false));
});
