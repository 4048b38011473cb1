/** Settings of TLS. */

import { row, SettingFlag } from "./setting.ts";
import { int } from "./setting-number.ts";
import { bool, enumeration, optionalText, secret } from "./setting-types.ts";

const { Sensitive, Volatile } = SettingFlag;

/** Makes the rows. */
export const tlsSettings = () => ({
  "tls-port": row(int(0, 0, 65535), "Port to listen on for TLS connections; 0 listens on none."),
  "tls-cert-file": row(optionalText(), "Certificate of the server.", { flags: Volatile }),
  "tls-key-file": row(optionalText(), "Private key of that certificate.", { flags: Volatile }),
  "tls-key-file-pass": row(secret(), "Pass phrase of that key.", { flags: Sensitive }),
  "tls-client-cert-file": row(optionalText(), "Certificate for connections that the server opens.", {
    flags: Volatile,
  }),
  "tls-client-key-file": row(optionalText(), "Private key of that certificate.", { flags: Volatile }),
  "tls-client-key-file-pass": row(secret(), "Pass phrase of that key.", { flags: Sensitive }),
  "tls-dh-params-file": row(optionalText(), "Diffie-Hellman parameters for old clients.", {
    flags: Volatile,
    ready: false,
  }),
  "tls-ca-cert-file": row(optionalText(), "Certificates of authorities to trust.", { flags: Volatile }),
  "tls-ca-cert-dir": row(optionalText(), "Directory of certificates of authorities to trust.", { flags: Volatile }),
  "tls-auth-clients": row(enumeration("yes", ["no", "yes", "optional"]), "Must clients show a certificate."),
  "tls-protocols": row(optionalText(), "Protocol versions to allow."),
  "tls-ciphers": row(optionalText(), "Ciphers to allow up to TLS 1.2."),
  "tls-ciphersuites": row(optionalText(), "Cipher suites to allow in TLS 1.3.", { ready: false }),
  "tls-prefer-server-ciphers": row(bool(false), "Choose by the server's order of ciphers.", { ready: false }),
  "tls-session-caching": row(bool(true), "Let clients resume sessions.", { ready: false }),
  "tls-session-cache-size": row(int(20 * 1024), "Sessions that are remembered; 0 is no limit.", { ready: false }),
  "tls-session-cache-timeout": row(int(300), "Seconds for which a session is remembered.", { ready: false }),
  "tls-replication": row(bool(false), "Use TLS to the primary."),
  "tls-cluster": row(bool(false), "Use TLS on the cluster bus.", { ready: false }),
});
