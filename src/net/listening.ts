/** Opens listening sockets: the only place that touches Bun.listen. */

import type { SocketHandler, SocketListener, TLSOptions } from "bun";
import { nodeFs } from "../base/system-calls.ts";
import { errnoCode, errnoText } from "../config/errno.ts";
import { setBacklog } from "./backlog.ts";
import type { Connection } from "./connection.ts";
import { type Endpoint, isIpv6, systemAddress } from "./endpoint.ts";

/** Bytes of an address that hold a unix socket's path, with the NUL behind it. */
const UNIX_PATH_BYTES = process.platform === "darwin" ? 104 : 108;

/** What serves the sockets of an endpoint. */
export type EndpointHandler = SocketHandler<Connection>;

/** What listening sockets have in common, from the settings. */
export interface ListenSettings {
  readonly backlog: number;
  /** Permission bits of a unix socket; 0 keeps what the umask gives. */
  readonly unixPermissions: number;
  /** Group that is to own a unix socket, or "". */
  readonly unixGroup: string;
}

/** Why a socket could not be opened. */
export interface ListenFailure {
  /** A code such as EADDRINUSE, or "". */
  readonly code: string;
  /** The system's words, with the call that failed. */
  readonly text: string;
}

/** An open socket, or why there is none. */
export type ListenResult = { readonly listener: SocketListener<Connection> } | { readonly failure: ListenFailure };

/** Opens an endpoint. */
export function openEndpoint(endpoint: Endpoint, handler: EndpointHandler, settings: ListenSettings): ListenResult {
  return endpoint.kind === "unix"
    ? openUnix(endpoint.host, handler, settings)
    : openInet(endpoint, handler, settings.backlog);
}

function openInet(endpoint: Endpoint, handler: EndpointHandler, backlog: number): ListenResult {
  const hostname = systemAddress(endpoint.host);
  const options = {
    hostname,
    port: endpoint.port,
    // Without this an IPv6 address of all interfaces would take the IPv4 ones too.
    ipv6Only: isIpv6(hostname),
    // The peer may stop sending and still wait for replies.
    allowHalfOpen: true,
    socket: handler,
    ...(endpoint.tls === null ? {} : { tls: endpoint.tls }),
  };
  try {
    const listener = Bun.listen<Connection>(options);
    setBacklog(listener, backlog);
    return { listener };
  } catch (error) {
    return { failure: inetFailure(error) };
  }
}

/** Tries certificate, key and options on a socket that nobody can know of. A line for the log when they are no good, or null. */
export function checkTls(options: TLSOptions): string | null {
  try {
    Bun.listen({ hostname: "127.0.0.1", port: 0, tls: options, socket: { data: () => {} } }).stop(true);
    return null;
  } catch (error) {
    return `Failed to load certificate or private key: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function inetFailure(error: unknown): ListenFailure {
  const code = errnoCode(error);
  // An address that cannot be resolved comes without a code; a certificate that cannot be used with one of the TLS library.
  if (code === "") return { code, text: "Name or service not known" };
  if (!/^E[A-Z0-9]+$/.test(code)) return { code, text: errnoText(error) };
  return { code, text: `bind: ${errnoText(error)}` };
}

function openUnix(path: string, handler: EndpointHandler, settings: ListenSettings): ListenResult {
  const length = Buffer.byteLength(path);
  if (length >= UNIX_PATH_BYTES) {
    const text = `unix socket path too long (${length}), must be under ${UNIX_PATH_BYTES}`;
    return { failure: { code: "EINVAL", text } };
  }
  try {
    nodeFs().unlinkSync(path);
  } catch {
    // There is none; or the next step will say what is wrong.
  }
  // A socket whose permissions are to be narrow must not be open to others for a moment.
  const umask = settings.unixPermissions === 0 ? null : process.umask(~settings.unixPermissions & 0o777);
  let listener: SocketListener<Connection>;
  try {
    listener = Bun.listen<Connection>({ unix: path, allowHalfOpen: true, socket: handler });
  } catch (error) {
    return { failure: { code: errnoCode(error), text: `bind: ${errnoText(error)}` } };
  } finally {
    if (umask !== null) process.umask(umask);
  }
  setBacklog(listener, settings.backlog);
  const problem = setOwnership(path, settings);
  if (problem === null) return { listener };
  listener.stop(true);
  return { failure: { code: "", text: problem } };
}

function setOwnership(path: string, settings: ListenSettings): string | null {
  try {
    if (settings.unixPermissions !== 0) nodeFs().chmodSync(path, settings.unixPermissions);
  } catch (error) {
    return `chmod: ${errnoText(error)}`;
  }
  const group = settings.unixGroup;
  if (group === "") return null;
  const gid = groupId(group);
  if (gid === null) return `getgrnam error for group '${group}': No such group`;
  try {
    nodeFs().chownSync(path, nodeFs().statSync(path).uid, gid);
  } catch (error) {
    return `chown error for group '${group}': ${errnoText(error)}`;
  }
  return null;
}

/** The number of a group of this host, or null. */
function groupId(name: string): number | null {
  try {
    for (const line of nodeFs().readFileSync("/etc/group", "latin1").split("\n")) {
      const fields = line.split(":");
      if (fields[0] === name && /^\d+$/.test(fields[2] ?? "")) return Number(fields[2]);
    }
  } catch {
    // A host without that file has no groups that we could find.
  }
  return null;
}
