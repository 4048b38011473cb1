/** The addresses that the settings ask to listen on. */
import type { TLSOptions } from "bun";
import { fromBinary } from "../config/binary.ts";
import type { ConfigValues } from "../config/settings/settings.ts";

/** Kinds of listening sockets, with the names that log lines use. */
export type EndpointKind = "tcp" | "tls" | "unix";

/** One address to listen on. */
export interface Endpoint {
  readonly kind: EndpointKind;
  /** Address as the settings spell it, or the path of a unix socket. */
  readonly host: string;
  /** 0 for a unix socket. */
  readonly port: number;
  /** The host may lack this address. */
  readonly optional: boolean;
  /** What a TLS socket is made of; null for the other kinds. */
  readonly tls: TLSOptions | null;
}

/** Two endpoints with the same key are the same place. */
export function endpointKey(endpoint: Endpoint): string {
  return `${endpoint.kind} ${endpoint.host} ${endpoint.port}`;
}

/** What the operating system calls an address: `*` and `::*` stand for all addresses of a family. */
export function systemAddress(host: string): string {
  if (host === "*") return "0.0.0.0";
  return host === "::*" ? "::" : host;
}

/** Is it an IPv6 address? */
export function isIpv6(host: string): boolean {
  return host.includes(":");
}

/** All endpoints of a configuration, in the order in which they are opened. `tls` is for tls-port; null leaves that port out. */
export function endpointsOf(values: ConfigValues, tls: TLSOptions | null): Endpoint[] {
  const endpoints = inetEndpoints("tcp", values.bind, values.port, null);
  if (values.unixsocket !== "") {
    endpoints.push({ kind: "unix", host: fromBinary(values.unixsocket), port: 0, optional: false, tls: null });
  }
  if (tls !== null) endpoints.push(...inetEndpoints("tls", values.bind, values.tlsPort, tls));
  return endpoints;
}

function inetEndpoints(kind: "tcp" | "tls", bind: readonly string[], port: number, tls: TLSOptions | null): Endpoint[] {
  const endpoints: Endpoint[] = [];
  for (const address of port === 0 ? [] : bind) {
    const optional = address.startsWith("-");
    endpoints.push({ kind, host: optional ? address.slice(1) : address, port, optional, tls });
  }
  return endpoints;
}
