// When persistence and replication are loaded: with data at once, otherwise before anything that could need them.

import { expect, test } from "bun:test";
import { DataSetStart } from "../../src/cli/server/data-set-start.ts";
import type { ShutdownStep } from "../../src/cli/server/server-process-shutdown.ts";
import { Cron } from "../../src/engine/cron.ts";
import { testServer } from "../support/engine.ts";

/** A server that is about to start, with a configuration of these lines. */
function begin(config: string) {
  const server = testServer();
  const steps: ShutdownStep[] = [];
  const life = { beforeEnd: () => {}, addShutdownStep: (step: ShutdownStep) => steps.push(step) };
  const { engine } = server;
  expect(engine.config.loadText(`dbfilename no-such.rdb\nappenddirname no-such-dir\n${config}`)).toBeNull();
  const dataSet = new DataSetStart(engine, new Cron(engine), life).prepare();
  return { server, engine, life, steps, dataSet, client: server.connect() };
}

test("a server without data has neither until a command comes that is not about a connection", () => {
  const { engine, dataSet, steps, client } = begin("");
  expect(dataSet).toBeNull();
  expect(client.line("PING")).toBe("PONG");
  expect(client.line("SELECT 1")).toBe("OK");
  expect(client.line("NOSUCH")).toContain("unknown command");
  expect([engine.persistence, engine.replication, engine.appendOnly, engine.dialer]).toEqual([null, null, null, null]);
  // ROLE asks for what it brings.
  expect(client.line("ROLE")).toContain("master");
  for (const part of [engine.persistence, engine.replication, engine.appendOnly, engine.dialer])
    expect(part).not.toBeNull();
  const { persistence } = engine;
  expect(client.line("SET k v")).toBe("OK");
  expect(engine.persistence).toBe(persistence);
  expect(steps.length).toBe(2);
});

test("the end of the server brings both, once", () => {
  const { engine, life, steps } = begin("");
  expect(steps.length).toBe(0);
  life.beforeEnd();
  expect(steps.length).toBe(2);
  const { persistence } = engine;
  expect(persistence).not.toBeNull();
  life.beforeEnd();
  expect(steps.length).toBe(2);
  expect(engine.persistence).toBe(persistence);
});

test("a log, a primary or a file of either kind brings both at once", () => {
  // Names that there are in the folder of the tests: nothing is read yet.
  for (const config of ["appendonly yes", "replicaof 127.0.0.1 1", "dbfilename README.md", "appenddirname src"]) {
    const { dataSet, engine } = begin(config);
    expect(dataSet).not.toBeNull();
    expect(engine.persistence).not.toBeNull();
  }
});
