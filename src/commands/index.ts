/** Every command of the server, by family. Static imports: a compiled binary has no folder to scan. */
import type { CommandLiteral } from "../engine/spec.ts";
import { BITMAP_COMMANDS } from "./bitmap/bitmap.ts";
import { AUTHENTICATION_COMMANDS } from "./connection/authentication.ts";
import { CLIENT_COMMANDS } from "./connection/client.ts";
import { CONNECTION_COMMANDS } from "./connection/connection.ts";
import { DUMP_COMMANDS } from "./generic/dump.ts";
import { EXPIRE_COMMANDS } from "./generic/expire.ts";
import { KEY_COMMANDS } from "./generic/keys.ts";
import { MIGRATE_COMMANDS } from "./generic/migrate.ts";
import { OBJECT_COMMANDS } from "./generic/object.ts";
import { RENAME_COMMANDS } from "./generic/rename.ts";
import { SCAN_COMMANDS } from "./generic/scan.ts";
import { SORT_COMMANDS } from "./generic/sort.ts";
import { GEO_COMMANDS } from "./geo/geo.ts";
import { HASH_COMMANDS } from "./hash/hash.ts";
import { HYPERLOGLOG_COMMANDS } from "./hyperloglog/hyperloglog.ts";
import { LIST_COMMANDS } from "./list/list.ts";
import { BGREWRITEAOF_COMMANDS } from "./persistence/bgrewriteaof.ts";
import { RDB_COMMANDS } from "./persistence/rdb.ts";
import { PUBSUB_INTROSPECTION_COMMANDS } from "./pubsub/introspection.ts";
import { PUBSUB_COMMANDS } from "./pubsub/pubsub.ts";
import { REPLICATION_COMMANDS } from "./replication/replication.ts";
import { COMMAND_COMMANDS } from "./server/command.ts";
import { CONFIG_COMMANDS } from "./server/config.ts";
import { DEBUG_COMMANDS } from "./server/debug.ts";
import { FLUSH_COMMANDS } from "./server/flush.ts";
import { INFO_COMMANDS } from "./server/info.ts";
import { LATENCY_COMMANDS } from "./server/latency.ts";
import { LOLWUT_COMMANDS } from "./server/lolwut.ts";
import { MEMORY_COMMANDS } from "./server/memory.ts";
import { MONITOR_COMMANDS } from "./server/monitor.ts";
import { SHUTDOWN_COMMANDS } from "./server/shutdown.ts";
import { SLOWLOG_COMMANDS } from "./server/slowlog.ts";
import { TIME_COMMANDS } from "./server/time.ts";
import { SET_COMMANDS } from "./set/set.ts";
import { STREAM_COMMANDS } from "./stream/stream.ts";
import { STRING_COMMANDS } from "./string/string.ts";
import { TRANSACTION_COMMANDS } from "./transactions/transactions.ts";
import { ZSET_COMMANDS } from "./zset/zset.ts";

export const COMMANDS: readonly CommandLiteral[] = [
  ...AUTHENTICATION_COMMANDS,
  ...BGREWRITEAOF_COMMANDS,
  ...BITMAP_COMMANDS,
  ...CLIENT_COMMANDS,
  ...CONFIG_COMMANDS,
  ...CONNECTION_COMMANDS,
  ...COMMAND_COMMANDS,
  ...INFO_COMMANDS,
  ...LATENCY_COMMANDS,
  ...DEBUG_COMMANDS,
  ...DUMP_COMMANDS,
  ...EXPIRE_COMMANDS,
  ...FLUSH_COMMANDS,
  ...GEO_COMMANDS,
  ...HASH_COMMANDS,
  ...HYPERLOGLOG_COMMANDS,
  ...KEY_COMMANDS,
  ...LIST_COMMANDS,
  ...LOLWUT_COMMANDS,
  ...MEMORY_COMMANDS,
  ...MIGRATE_COMMANDS,
  ...MONITOR_COMMANDS,
  ...OBJECT_COMMANDS,
  ...PUBSUB_COMMANDS,
  ...PUBSUB_INTROSPECTION_COMMANDS,
  ...SHUTDOWN_COMMANDS,
  ...SLOWLOG_COMMANDS,
  ...RDB_COMMANDS,
  ...RENAME_COMMANDS,
  ...REPLICATION_COMMANDS,
  ...SCAN_COMMANDS,
  ...SET_COMMANDS,
  ...SORT_COMMANDS,
  ...STREAM_COMMANDS,
  ...STRING_COMMANDS,
  ...TIME_COMMANDS,
  ...TRANSACTION_COMMANDS,
  ...ZSET_COMMANDS,
];
