// One server of ours that can be reached by TCP, TLS and a unix socket, with a password.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, type RunningServer } from "../support/process.ts";
import { startServer } from "../support/server.ts";
import type { Transport } from "./session.ts";

export const PASSWORD = "open s\xe9same";

/** A running server and the ways to it. */
export interface Reachable {
  readonly server: RunningServer;
  readonly transports: readonly Transport[];
  stop(): Promise<void>;
}

/** Runs openssl; throws with what it said when it fails. */
function openssl(...args: string[]): void {
  const run = Bun.spawnSync(["openssl", ...args], { stdout: "pipe", stderr: "pipe" });
  if (run.exitCode !== 0) throw new Error(`openssl ${args.join(" ")}: ${run.stderr.toString()}`);
}

/** Makes a certificate for 127.0.0.1 that is its own authority, in a folder: server.crt and server.key. */
function makeCertificate(dir: string): void {
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"];
  const files = ["-keyout", join(dir, "server.key"), "-out", join(dir, "server.crt")];
  openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...subject, ...files);
}

/** Starts it; `args` are further arguments of redis-server. */
export async function startReachable(args: readonly string[] = []): Promise<Reachable> {
  const dir = mkdtempSync(join(tmpdir(), "redis-ts-ways-"));
  makeCertificate(dir);
  const [certificate, key] = [join(dir, "server.crt"), join(dir, "server.key")];
  const path = join(dir, "socket");
  const tlsPort = freePort();
  const server = await startServer([
    ...["--requirepass", PASSWORD, "--unixsocket", path, "--tls-port", String(tlsPort)],
    ...["--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate],
    ...["--tls-auth-clients", "no", ...args],
  ]);
  return {
    server,
    transports: [
      { kind: "tcp", port: server.port },
      { kind: "unix", path },
      { kind: "tls", port: tlsPort, ca: readFileSync(certificate, "utf8") },
    ],
    async stop() {
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
