/** Settings of value types: when a compact encoding gives way to a fast one. */

import { row, SettingFlag } from "./setting.ts";
import { INT_MAX, INT_MIN, int, LONG_MAX, uint, unsignedMemory } from "./setting-number.ts";
import { bool, enumeration } from "./setting-types.ts";

const { Immutable, Hidden, Debug } = SettingFlag;

/** Makes the rows. */
export const typeSettings = () => ({
  "hash-max-listpack-entries": row(uint(512, 0, LONG_MAX), "Fields up to which a hash is a listpack.", {
    alias: "hash-max-ziplist-entries",
  }),
  "hash-max-listpack-value": row(unsignedMemory(64), "Longest field or value of a hash that is a listpack, bytes.", {
    alias: "hash-max-ziplist-value",
  }),
  "list-max-listpack-size": row(
    int(-2, INT_MIN, INT_MAX),
    "Size of a list node: positive counts elements, -1 to -5 are 4 to 64 KiB.",
    { alias: "list-max-ziplist-size" },
  ),
  "list-compress-depth": row(int(0), "Nodes at both ends of a list that are not compressed; 0 compresses none.", {
    flags: Debug,
  }),
  "set-max-intset-entries": row(uint(512, 0, LONG_MAX), "Members up to which a set of integers is an intset."),
  "set-max-listpack-entries": row(uint(128, 0, LONG_MAX), "Members up to which a set is a listpack."),
  "set-max-listpack-value": row(uint(64, 0, LONG_MAX), "Longest member of a set that is a listpack, bytes."),
  "zset-max-listpack-entries": row(uint(128, 0, LONG_MAX), "Members up to which a sorted set is a listpack.", {
    alias: "zset-max-ziplist-entries",
  }),
  "zset-max-listpack-value": row(unsignedMemory(64), "Longest member of a sorted set that is a listpack, bytes.", {
    alias: "zset-max-ziplist-value",
  }),
  "hll-sparse-max-bytes": row(unsignedMemory(3000), "Bytes up to which a HyperLogLog stays sparse."),
  "stream-node-max-bytes": row(unsignedMemory(4096), "Bytes of one node of a stream; 0 is no limit."),
  "stream-node-max-entries": row(int(100, 0, LONG_MAX), "Entries of one node of a stream; 0 is no limit."),
  "sanitize-dump-payload": row(
    enumeration("no", ["no", "yes", "clients"]),
    "Check values from RESTORE and from snapshots in full before use.",
    { flags: Debug },
  ),
  "busy-reply-threshold": row(
    int(5000, 0, LONG_MAX),
    "Milliseconds after which others are told that a script is running.",
    {
      alias: "lua-time-limit",
      ready: false,
    },
  ),
  "lua-enable-deprecated-api": row(
    bool(false),
    "Give scripts the functions of the Lua library that are otherwise removed.",
    {
      flags: Immutable | Hidden,
      only: "redis",
      ready: false,
    },
  ),
});
