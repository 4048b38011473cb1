/** Settings of sockets, connections and their buffers. */

import { row, SettingFlag } from "./setting.ts";
import { INT_MAX, int, memory, octal, UINT_MAX, uint, unsignedMemory } from "./setting-number.ts";
import { bindAddresses, outputBufferLimits } from "./setting-special.ts";
import { bool, optionalText } from "./setting-types.ts";

const { Immutable, Hidden, Debug } = SettingFlag;

const MIB = 1024 * 1024;

/** Makes the rows. */
export const networkSettings = () => ({
  port: row(int(6379, 0, 65535), "TCP port to listen on; 0 listens on none."),
  bind: row(
    bindAddresses(["*", "-::*"]),
    "Addresses to listen on; one that starts with - may be missing on this host.",
  ),
  "bind-source-addr": row(optionalText(), "Local address for connections to a primary."),
  unixsocket: row(optionalText(), "Path of a unix socket to listen on.", { flags: Immutable }),
  unixsocketgroup: row(optionalText(), "Group that owns the unix socket.", { flags: Immutable, only: "valkey" }),
  unixsocketperm: row(octal(0, 0o777), "Permissions of the unix socket, octal; 0 keeps what the umask gives.", {
    flags: Immutable,
  }),
  "tcp-backlog": row(int(511), "Length of the kernel's queue of connections waiting to be accepted.", {
    flags: Immutable,
  }),
  "tcp-keepalive": row(int(300), "Seconds of silence before TCP probes whether a client is alive; 0 never probes."),
  timeout: row(int(0), "Seconds after which an idle client is disconnected; 0 never does."),
  maxclients: row(uint(10000, 1, UINT_MAX), "Number of clients that may be connected at the same time."),
  "protected-mode": row(bool(true), "Without a password and an explicit bind, serve only clients of this host."),
  "socket-mark-id": row(
    uint(0, 0, UINT_MAX),
    "Mark that the kernel puts on the packets of listening sockets; 0 is none.",
    {
      flags: Immutable,
      ready: false,
    },
  ),
  "client-query-buffer-limit": row(
    unsignedMemory(1024 * MIB, MIB),
    "Bytes of input that may be pending for one client before it is disconnected.",
    { flags: Debug },
  ),
  "client-output-buffer-limit": row(
    outputBufferLimits({
      normal: { hard: 0, soft: 0, softSeconds: 0 },
      replica: { hard: 256 * MIB, soft: 64 * MIB, softSeconds: 60 },
      pubsub: { hard: 32 * MIB, soft: 8 * MIB, softSeconds: 60 },
    }),
    "Bytes of output that may be pending for a client of each class before it is disconnected.",
  ),
  "proto-max-bulk-len": row(memory(512 * MIB, MIB), "Largest single string that a client may send, in bytes.", {
    flags: Debug,
  }),
  "max-new-connections-per-cycle": row(
    uint(10, 1, 1000),
    "New TCP connections accepted in one turn of the event loop.",
    { ready: false },
  ),
  "max-new-tls-connections-per-cycle": row(
    uint(1, 1, 1000),
    "New TLS connections accepted in one turn of the event loop.",
    { ready: false },
  ),
  "io-threads": row(int(1, 1, 128), "Threads for reading and writing sockets; this server uses one whatever it says.", {
    flags: Debug | Immutable,
    ready: false,
  }),
  "io-threads-do-reads": row(bool(false), "Should I/O threads also read; this server has none.", {
    flags: Debug | Immutable,
    only: "redis",
    ready: false,
  }),
  "events-per-io-thread": row(
    int(2, 0, INT_MAX),
    "Events for which one more I/O thread is woken; this server has none.",
    {
      only: "valkey",
      ready: false,
    },
  ),
  "prefetch-batch-max-size": row(int(16, 0, 128), "Commands whose keys are fetched ahead together by I/O threads.", {
    only: "valkey",
    ready: false,
  }),
  "client-default-resp": row(uint(2, 2, 3), "Protocol version of a client that has not sent HELLO.", {
    flags: Immutable | Hidden,
  }),
  "req-res-logfile": row(
    optionalText(),
    "File to which every request and reply is appended, for checking reply schemas.",
    {
      flags: Immutable | Hidden,
      ready: false,
    },
  ),
});
