// Replication tells the snapshot in progress whether replicas wait for it: then it takes more of the processor (snapshot-pace.test.ts).

import { expect, test } from "bun:test";
import { ChildSlot } from "../../src/persistence/child/child-slot.ts";
import { Loading } from "../../src/persistence/loading.ts";
import { Persistence } from "../../src/persistence/persistence.ts";
import { Snapshot } from "../../src/persistence/snapshot/snapshot.ts";
import { Replication } from "../../src/replication/replication.ts";
import { netServer } from "../support/net.ts";

test("a snapshot is awaited from the moment that a replica waits for it until it is gone", () => {
  const { engine, fake, stop } = netServer({
    deaf: true,
    settings: { "repl-diskless-sync": "yes", "repl-diskless-sync-delay": "0" },
  });
  const snapshot = new Snapshot(engine);
  const loading = new Loading(engine);
  const slot = new ChildSlot();
  const persistence = new Persistence(engine, { snapshot, slot, loading, exit: () => process.exit(1) });
  const unused = {} as never;
  new Replication({ engine, snapshot, slot, loading, persistence, appendOnly: unused, dialer: unused });
  const replica = fake();
  replica.receive("REPLCONF capa eof\r\n");
  expect(snapshot.isAwaited()).toBe(false);
  replica.receive("PSYNC ? -1\r\n");
  expect(slot.kind).toBe("replicas");
  expect(snapshot.isAwaited()).toBe(true);
  replica.end();
  expect(snapshot.isAwaited()).toBe(false);
  stop();
});
