/** Settings of replication, for primaries and replicas. */

import { PERSONALITIES } from "../personality.ts";
import { row, SettingFlag } from "./setting.ts";
import { INT_MAX, int, LONG_MAX, memory } from "./setting-number.ts";
import { primaryAddress } from "./setting-special.ts";
import { bool, enumeration, optionalText, secret } from "./setting-types.ts";

const { Immutable, Debug, Sensitive, DenyLoading } = SettingFlag;

const BACKLOG_SIZE = {
  redis: PERSONALITIES.redis.replBacklogSizeDefault,
  valkey: PERSONALITIES.valkey.replBacklogSizeDefault,
} as const;

/** Makes the rows. */
export const replicationSettings = () => ({
  replicaof: row(primaryAddress(), "Host and port of the server to replicate from.", {
    alias: "slaveof",
    flags: Immutable,
  }),
  masterauth: row(secret(), "Password for the server to replicate from.", {
    flags: Sensitive,
    valkeyName: "primaryauth",
  }),
  masteruser: row(optionalText(), "User for the server to replicate from.", {
    flags: Sensitive,
    valkeyName: "primaryuser",
  }),
  "replica-serve-stale-data": row(bool(true), "Answer from old data while not connected to the primary.", {
    alias: "slave-serve-stale-data",
  }),
  "replica-read-only": row(bool(true), "Refuse writes of clients on a replica.", {
    alias: "slave-read-only",
    flags: Debug,
  }),
  "replica-lazy-flush": row(
    bool({ redis: false, valkey: true }),
    "Free the old data set in the background before a full sync.",
    {
      alias: "slave-lazy-flush",
    },
  ),
  "replica-ignore-maxmemory": row(bool(true), "Leave eviction to the primary.", {
    alias: "slave-ignore-maxmemory",
  }),
  "replica-ignore-disk-write-errors": row(bool(false), "Go on as a replica when the disk cannot be written.", {
    ready: false,
  }),
  "replica-priority": row(int(100), "Rank in the choice of a new primary; lower is preferred, 0 is never chosen.", {
    alias: "slave-priority",
  }),
  "replica-announced": row(bool(true), "Let Sentinel show this replica."),
  "replica-announce-ip": row(optionalText(), "Address that a replica gives to its primary.", {
    alias: "slave-announce-ip",
  }),
  "replica-announce-port": row(int(0, 0, 65535), "Port that a replica gives to its primary; 0 is the real one.", {
    alias: "slave-announce-port",
  }),
  "repl-diskless-sync": row(bool(true), "Send the snapshot of a full sync without a file.", {
    flags: Debug,
  }),
  "repl-diskless-sync-delay": row(int(5), "Seconds to wait for more replicas before such a transfer."),
  "repl-diskless-sync-max-replicas": row(int(0), "Replicas at which the transfer starts at once; 0 always waits."),
  "repl-diskless-load": row(
    enumeration(
      "disabled",
      ["disabled", "on-empty-db", "swapdb", "flush-before-load"],
      {},
      {
        "flush-before-load": "valkey",
      },
    ),
    "When a replica loads a snapshot from the socket without a file.",
    { flags: Debug | DenyLoading },
  ),
  "dual-channel-replication-enabled": row(
    bool(false),
    "Transfer the snapshot and the stream of writes on two connections.",
    {
      flags: Debug,
      only: "valkey",
      ready: false,
    },
  ),
  "repl-ping-replica-period": row(int(10, 1, INT_MAX), "Seconds between two pings of a primary.", {
    alias: "repl-ping-slave-period",
  }),
  "repl-timeout": row(int(60, 1, INT_MAX), "Seconds of silence after which a replication link is dropped."),
  "repl-disable-tcp-nodelay": row(bool(false), "Let TCP collect small packets to replicas."),
  "repl-backlog-size": row(memory(BACKLOG_SIZE, 1), "Bytes of the write stream kept for replicas that come back."),
  "repl-backlog-ttl": row(int(3600, 0, LONG_MAX), "Seconds without replicas after which that is freed; 0 never."),
  "min-replicas-to-write": row(int(0), "Replicas that must be near for writes to be accepted.", {
    alias: "min-slaves-to-write",
  }),
  "min-replicas-max-lag": row(int(10), "Seconds of lag up to which a replica counts as near.", {
    alias: "min-slaves-max-lag",
  }),
  "propagation-error-behavior": row(
    enumeration("ignore", ["ignore", "panic", "panic-on-replicas"]),
    "What to do when a propagated command fails.",
  ),
});
