/** Certificates and options of TLS sockets, those that listen and those that connect, from the settings. */
import { readdirSync, readFileSync } from "node:fs";
import type { TLSOptions } from "bun";
import { fromBinary } from "../config/binary.ts";
import { errnoText } from "../config/errno.ts";
import type { ConfigValues } from "../config/settings/settings.ts";

/** The options, or why there are none: a line for the log. */
export type TlsOptionsResult = { readonly options: TLSOptions } | { readonly error: string };

/** Protocol versions as TLS numbers them. */
const VERSIONS: Readonly<Record<string, number>> = {
  tlsv1: 0x301,
  "tlsv1.1": 0x302,
  "tlsv1.2": 0x303,
  "tlsv1.3": 0x304,
};
const VERSION_MIN = 0x303;
const VERSION_MAX = 0x304;

class TlsProblem {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Reads what the tls-* settings name. Whether certificate and key are good and belong together shows when a socket is opened with them. */
export function readTlsOptions(values: ConfigValues): TlsOptionsResult {
  try {
    return { options: compose(values) };
  } catch (problem) {
    if (problem instanceof TlsProblem) return { error: problem.text };
    throw problem;
  }
}

/** The same for connections that the server opens: they show a certificate of their own if the settings name one, else the server's. */
export function readTlsClientOptions(values: ConfigValues): TlsOptionsResult {
  try {
    const options = compose(values);
    if (values.tlsClientCertFile !== "" && values.tlsClientKeyFile !== "") {
      options.cert = readPem("client certificate", values.tlsClientCertFile);
      options.key = readPem("client private key", values.tlsClientKeyFile);
      options.passphrase = values.tlsClientKeyFilePass;
    }
    // Who vouches for the other side is looked at when the handshake is over (dial.ts): its name does not matter, as it does not to Redis.
    options.requestCert = true;
    options.rejectUnauthorized = false;
    return { options };
  } catch (problem) {
    if (problem instanceof TlsProblem) return { error: problem.text };
    throw problem;
  }
}

function compose(values: ConfigValues): TLSOptions {
  if (values.tlsCertFile === "") throw new TlsProblem("No tls-cert-file configured!");
  if (values.tlsKeyFile === "") throw new TlsProblem("No tls-key-file configured!");
  const needsAuthorities = values.tlsCluster || values.tlsReplication || values.tlsAuthClients !== "no";
  const authorities = readAuthorities(values);
  if (needsAuthorities && authorities.length === 0) {
    throw new TlsProblem(
      "Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-cluster, tls-replication or tls-auth-clients are enabled!",
    );
  }
  const versions = parseVersions(values.tlsProtocols);
  const options: TLSOptions & { minVersion?: number; maxVersion?: number } = {
    cert: readPem("certificate", values.tlsCertFile),
    key: readPem("private key", values.tlsKeyFile),
    requestCert: values.tlsAuthClients !== "no",
    // "optional" looks at the certificate itself, once the handshake is over (server.ts).
    rejectUnauthorized: values.tlsAuthClients === "yes",
    minVersion: versions.min,
    maxVersion: versions.max,
  };
  if (authorities.length > 0) options.ca = authorities;
  if (values.tlsKeyFilePass !== "") options.passphrase = fromBinary(values.tlsKeyFilePass);
  if (values.tlsCiphers !== "") options.ciphers = values.tlsCiphers;
  return options;
}

function readPem(what: string, path: string): string {
  try {
    return readFileSync(fromBinary(path), "latin1");
  } catch (error) {
    throw new TlsProblem(`Failed to load ${what}: ${fromBinary(path)}: ${errnoText(error)}`);
  }
}

/** Certificates of tls-ca-cert-file, and of all files in tls-ca-cert-dir that hold any. */
function readAuthorities(values: ConfigValues): string[] {
  const authorities: string[] = [];
  if (values.tlsCaCertFile !== "") authorities.push(readPem("CA certificate(s) file", values.tlsCaCertFile));
  const folder = fromBinary(values.tlsCaCertDir);
  if (folder === "") return authorities;
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) continue;
      const text = readFileSync(`${folder}/${entry.name}`, "latin1");
      if (text.includes("-----BEGIN CERTIFICATE-----")) authorities.push(text);
    }
  } catch (error) {
    throw new TlsProblem(`Failed to load CA certificate(s) directory: ${folder}: ${errnoText(error)}`);
  }
  return authorities;
}

function parseVersions(text: string): { readonly min: number; readonly max: number } {
  const words = text.split(/\s+/).filter((word) => word !== "");
  if (words.length === 0) return { min: VERSION_MIN, max: VERSION_MAX };
  const numbers = words.map((word) => VERSIONS[word.toLowerCase()]);
  if (numbers.includes(undefined as unknown as number)) {
    throw new TlsProblem(
      "Invalid tls-protocols specified. Use a combination of 'TLSv1', 'TLSv1.1', 'TLSv1.2' and 'TLSv1.3'.",
    );
  }
  return { min: Math.min(...numbers), max: Math.max(...numbers) };
}
