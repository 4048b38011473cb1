// A replica that reaches its primary over TLS, and does not trust a stranger.

import { afterAll, beforeAll, describe, expect } from "bun:test";
import { oracleTest } from "../support/oracle.ts";
import { freePort } from "../support/process.ts";
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
