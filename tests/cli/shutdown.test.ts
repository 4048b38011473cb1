// How a shutdown begins, waits, fails, and is taken back, with the end of the process replaced by a note.

import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Logger } from "../../src/base/log.ts";
import { Shutdown, type ShutdownStep } from "../../src/cli/server/server-process-shutdown.ts";
import type { ShutdownOptions } from "../../src/engine/ports.ts";
import { type TestServer, testServer } from "../support/engine.ts";

const folder = mkdtempSync(join(tmpdir(), "redis-ts-shutdown-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let logs = 0;

interface Subject {
  readonly server: TestServer;
  readonly shutdown: Shutdown;
  /** What happened, in order. */
  readonly events: string[];
  log(): string;
}

function subject(...steps: ShutdownStep[]): Subject {
  const server = testServer();
  const file = join(folder, `${++logs}.log`);
  server.engine.log = new Logger({ clock: server.clock, file });
  const events: string[] = [];
  const shutdown = new Shutdown(server.engine, {
    begun: () => events.push("begun"),
    end: () => events.push("end"),
    endNow: () => events.push("end now"),
  });
  for (const step of steps) shutdown.addStep(step);
  return { server, shutdown, events, log: () => readFileSync(file, "utf8") };
}

const PLAIN: ShutdownOptions = { save: null, now: false, force: false, safe: false };

test("with nobody to ask it ends at once", () => {
  const { shutdown, events, log } = subject();
  shutdown.begin(PLAIN, () => events.push("finished"));
  expect(events).toEqual(["begun", "end"]);
  expect(log()).toContain("User requested shutdown...");
});

test("a signal is served by the cron, with the options of its setting", () => {
  const asked: ShutdownOptions[] = [];
  const { server, shutdown, events } = subject({
    finish(options) {
      asked.push(options);
      return true;
    },
  });
  const gates = { loading: false, clientIsLocal: true };
  expect(server.engine.config.set([["shutdown-on-sigterm", "nosave now force"]], gates)).toBeNull();
  expect(server.engine.config.set([["shutdown-on-sigint", "save"]], gates)).toBeNull();
  shutdown.receive("SIGTERM");
  expect(events).toEqual([]);
  shutdown.tend();
  shutdown.receive("SIGINT");
  shutdown.tend();
  expect(events).toEqual(["begun", "end", "begun", "end"]);
  expect(asked).toEqual([
    { save: false, now: true, force: true, safe: false },
    { save: true, now: false, force: false, safe: false },
  ]);
});

test("nothing is served while the server is frozen or its cron is paused", () => {
  const { server, shutdown, events } = subject();
  shutdown.receive("SIGTERM");
  server.engine.debug.cronPaused = true;
  shutdown.tend();
  server.engine.debug.cronPaused = false;
  server.engine.debug.frozen = true;
  shutdown.tend();
  expect(events).toEqual([]);
  server.engine.debug.frozen = false;
  shutdown.tend();
  expect(events).toEqual(["begun", "end"]);
});

test("the second SIGINT ends the process, whatever is under way; a second SIGTERM does not", () => {
  const { shutdown, events, log } = subject({ isReady: () => false });
  shutdown.receive("SIGINT");
  shutdown.receive("SIGTERM");
  expect(events).toEqual([]);
  shutdown.receive("SIGINT");
  expect(events).toEqual(["end now"]);
  expect(log()).toContain("You insist... exiting now.");
  shutdown.abort();
});

test("a step that fails stops it, unless it is forced", () => {
  const { shutdown, events, log } = subject({ finish: () => false });
  expect(shutdown.begin(PLAIN, () => events.push("finished"))).toBe("failed");
  expect(events).toEqual(["begun"]);
  expect(log()).toContain("Errors trying to shut down the server");
  expect(shutdown.abort()).toBe(false);
  shutdown.begin({ ...PLAIN, force: true }, () => {});
  expect(events).toEqual(["begun", "begun", "end"]);
});

test("it waits for a step, with writes paused, until that is ready", () => {
  let ready = false;
  const { server, shutdown, events } = subject({ isReady: () => ready });
  const client = server.connect();
  expect(shutdown.begin(PLAIN, () => events.push("first"))).toBe("waiting");
  expect(shutdown.begin(PLAIN, () => events.push("second"))).toBe("waiting");
  expect(client.line("GET k")).toBe("(nil)");
  expect(client.line("SET k v")).toBe("");
  shutdown.tend();
  expect(events).toEqual(["begun"]);
  ready = true;
  shutdown.tend();
  expect(events).toEqual(["begun", "end"]);
});

test("it does not wait longer than shutdown-timeout, and not at all with NOW", () => {
  const { server, shutdown, events } = subject({ isReady: () => false });
  expect(shutdown.waitsMs).toBeNull();
  shutdown.begin(PLAIN, () => {});
  server.advance(9_999);
  expect(shutdown.waitsMs).toBe(1);
  shutdown.tend();
  expect(events).toEqual(["begun"]);
  server.advance(1);
  shutdown.tend();
  expect(events).toEqual(["begun", "end"]);
  shutdown.begin({ ...PLAIN, now: true }, () => {});
  expect(events).toEqual(["begun", "end", "begun", "end"]);
});

test("ABORT takes back a shutdown that waits: those who asked hear of it, and writes go on", () => {
  const { server, shutdown, events, log } = subject({ isReady: () => false });
  const client = server.connect();
  shutdown.begin(PLAIN, () => events.push("first"));
  shutdown.begin(PLAIN, () => events.push("second"));
  expect(client.line("SET k v")).toBe("");
  expect(shutdown.abort()).toBe(true);
  expect(events).toEqual(["begun", "first", "second"]);
  expect(log()).toContain("Shutdown manually aborted.");
  client.runPostponed();
  expect(client.pushed()).toHaveLength(1);
  expect(shutdown.abort()).toBe(false);
});

test("ABORT takes back a signal that is not served yet", () => {
  const { shutdown, events } = subject();
  shutdown.receive("SIGTERM");
  expect(shutdown.abort()).toBe(true);
  shutdown.tend();
  expect(events).toEqual([]);
});
