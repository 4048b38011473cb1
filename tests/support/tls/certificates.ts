// Certificates for tests, made when they are asked for: an authority, certificates that it vouches for, and a stranger. Nothing is kept.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Paths of PEM files, in a folder of their own that `remove` deletes. */
export interface Certificates {
  readonly authority: string;
  /** Certificate and key of the server; the same key under the pass phrase "pass phrase". */
  readonly serverCertificate: string;
  readonly serverKey: string;
  readonly serverKeyLocked: string;
  readonly clientCertificate: string;
  readonly clientKey: string;
  /** Signed by nobody that anybody knows. */
  readonly strangerCertificate: string;
  readonly strangerKey: string;
  remove(): void;
}

/** Pass phrase of `serverKeyLocked`. */
export const PASS_PHRASE = "pass phrase";

/** Whether certificates can be made here. */
export function opensslAvailable(): boolean {
  return Bun.which("openssl") !== null;
}

function openssl(...args: string[]): void {
  const run = Bun.spawnSync(["openssl", ...args], { stdout: "pipe", stderr: "pipe" });
  if (run.exitCode !== 0) throw new Error(`openssl ${args.join(" ")}: ${run.stderr.toString()}`);
}

/** Makes a set of certificates. */
export function makeCertificates(): Certificates {
  const dir = mkdtempSync(join(tmpdir(), "redis-ts-tls-"));
  const at = (name: string): string => join(dir, name);
  const selfSigned = (name: string): void => {
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", at(`${name}.key`));
    openssl(
      "req",
      "-x509",
      "-new",
      "-key",
      at(`${name}.key`),
      "-days",
      "2",
      "-subj",
      `/CN=${name}`,
      "-out",
      at(`${name}.crt`),
    );
  };
  const signed = (name: string): void => {
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", at(`${name}.key`));
    openssl("req", "-new", "-key", at(`${name}.key`), "-subj", `/CN=${name}`, "-out", at(`${name}.csr`));
    openssl(
      ...["x509", "-req", "-in", at(`${name}.csr`), "-CA", at("authority.crt"), "-CAkey", at("authority.key")],
      ...["-CAcreateserial", "-days", "2", "-out", at(`${name}.crt`)],
    );
  };
  selfSigned("authority");
  signed("server");
  signed("client");
  selfSigned("stranger");
  openssl("ec", "-in", at("server.key"), "-aes128", "-passout", `pass:${PASS_PHRASE}`, "-out", at("server-locked.key"));
  return {
    authority: at("authority.crt"),
    serverCertificate: at("server.crt"),
    serverKey: at("server.key"),
    serverKeyLocked: at("server-locked.key"),
    clientCertificate: at("client.crt"),
    clientKey: at("client.key"),
    strangerCertificate: at("stranger.crt"),
    strangerKey: at("stranger.key"),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
