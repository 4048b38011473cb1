// A replica that reaches its primary over TLS, and does not trust a stranger.

import { afterAll, beforeAll, describe, expect } from "bun:test";
import { oracleTest } from "../support/oracle.ts";
import { freePort } from "../support/process.ts";
import type { ReplyError } from "../support/reply.ts";
import { type Certificates, makeCertificates, opensslAvailable } from "../support/tls/certificates.ts";
import { converge, info, type Kind, startNode } from "./nodes.ts";
import { TEST_LIMIT_MS } from "./waiting.ts";
import { Writes } from "./writes.ts";

describe.skipIf(!opensslAvailable())("replication over TLS", () => {
  let files: Certificates;
  beforeAll(() => {
    files = makeCertificates();
  });
  afterAll(() => files.remove());

  const settings = (cert: string, key: string): string[] => [
    ...["--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", files.authority],
  ];

  for (const [primaryKind, replicaKind] of [
    ["redis", "ts"],
    ["ts", "ts"],
    ["ts", "redis"],
  ] as [Kind, Kind][]) {
    oracleTest(
      `${replicaKind} follows ${primaryKind}`,
      async () => {
        const tlsPort = freePort();
        const mine = settings(files.serverCertificate, files.serverKey);
        const primary = await startNode(primaryKind, ["--tls-port", String(tlsPort), ...mine]);
        const replica = await startNode(replicaKind, [
          ...["--tls-replication", "yes", ...settings(files.clientCertificate, files.clientKey)],
        ]);
        try {
          const writes = new Writes(17);
          await writes.send(primary.client, 1000);
          await replica.client.must("REPLICAOF", "127.0.0.1", tlsPort);
          await converge(primary, [replica], "at first");
          await primary.client.must("CLIENT", "KILL", "TYPE", "replica");
          await writes.send(primary.client, 300);
          await converge(primary, [replica], "after a cut");
          expect(await info(primary, "sync_partial_ok")).toBe("1");
        } finally {
          for (const { client } of [primary, replica]) client.close();
          await Promise.all([primary.server.stop(), replica.server.stop()]);
        }
      },
      TEST_LIMIT_MS,
    );
  }

  oracleTest(
    "MIGRATE goes over TLS, too, also within a transaction, and to no stranger",
    async () => {
      const ports = [freePort(), freePort()];
      const source = await startNode("ts", [
        ...["--tls-replication", "yes", ...settings(files.clientCertificate, files.clientKey)],
      ]);
      const target = await startNode("redis", [
        ...["--tls-port", String(ports[0]), ...settings(files.serverCertificate, files.serverKey)],
      ]);
      const stranger = await startNode("redis", [
        ...["--tls-port", String(ports[1]), "--tls-auth-clients", "no"],
        ...settings(files.strangerCertificate, files.strangerKey),
      ]);
      const nodes = [source, target, stranger];
      try {
        const move = (port: number, key: string) => ["MIGRATE", "127.0.0.1", port, key, 0, 20_000];
        const inTransaction = async (...command: (string | number)[]): Promise<unknown> =>
          ((await source.client.pipeline([["MULTI"], command, ["EXEC"]])).at(-1) as unknown[])[0];
        await source.client.must("MSET", "a", "1", "b", "2");
        for (const refused of [
          await source.client.call(...move(ports[1], "a")),
          await inTransaction(...move(ports[1], "b")),
        ])
          expect((refused as ReplyError).message).toContain("IOERR error or timeout connecting to the client");
        expect(await source.client.must("EXISTS", "a", "b")).toBe(2);
        expect(await source.client.must(...move(ports[0], "a"))).toBe("OK");
        expect(await inTransaction(...move(ports[0], "b"))).toBe("OK");
        expect(await source.client.must("DBSIZE")).toBe(0);
        expect(await target.client.must("MGET", "a", "b")).toEqual(["1", "2"]);
        expect(await stranger.client.must("DBSIZE")).toBe(0);
      } finally {
        for (const { client } of nodes) client.close();
        await Promise.all(nodes.map(({ server }) => server.stop()));
      }
    },
    TEST_LIMIT_MS,
  );

  oracleTest(
    "a primary with a certificate that nobody vouches for is not followed",
    async () => {
      const tlsPort = freePort();
      const primary = await startNode("redis", [
        ...["--tls-port", String(tlsPort), "--tls-auth-clients", "no"],
        ...settings(files.strangerCertificate, files.strangerKey),
      ]);
      const replica = await startNode("ts", [
        ...["--tls-replication", "yes", ...settings(files.clientCertificate, files.clientKey)],
      ]);
      try {
        await replica.client.must("REPLICAOF", "127.0.0.1", tlsPort);
        await replica.server.waitForLog("Error condition on socket for SYNC");
        expect(await info(replica, "master_link_status")).toBe("down");
        expect(await info(primary, "connected_slaves")).toBe("0");
      } finally {
        for (const { client } of [primary, replica]) client.close();
        await Promise.all([primary.server.stop(), replica.server.stop()]);
      }
    },
    TEST_LIMIT_MS,
  );
});
