// repl-disable-tcp-nodelay: small packets to replicas may wait for others, which no replica can see. The socket is the test's own.

import { expect, test } from "bun:test";
import { ChildSlot } from "../../src/persistence/child/child-slot.ts";
import { Loading } from "../../src/persistence/loading.ts";
import { Persistence } from "../../src/persistence/persistence.ts";
import { Snapshot } from "../../src/persistence/snapshot/snapshot.ts";
import { Replication } from "../../src/replication/replication.ts";
import { netServer } from "../support/net.ts";

for (const setting of ["yes", "no"] as const) {
  test(`repl-disable-tcp-nodelay ${setting}`, () => {
    const { engine, fake, stop } = netServer({ deaf: true, settings: { "repl-disable-tcp-nodelay": setting } });
    const snapshot = new Snapshot(engine);
    const loading = new Loading(engine);
    const slot = new ChildSlot();
    const persistence = new Persistence(engine, { snapshot, slot, loading, exit: () => process.exit(1) });
    const unused = {} as never;
    new Replication({ engine, snapshot, slot, loading, persistence, appendOnly: unused, dialer: unused });
    const replica = fake();
    replica.receive("REPLCONF capa eof\r\n");
    replica.receive("PSYNC ? -1\r\n");
    expect(replica.noDelay).toBe(setting === "no");
    stop();
  });
}
