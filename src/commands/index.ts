/**
 * Every command of the server, by family. A family's code is loaded when one of its commands is first called (engine/spec/command-family.ts); those of a
 * connection are there from the start, because a client begins with them. The file of a family stands here in full: a compiled binary has no folder to scan.
 */
import { type CommandList, family, plainFamily } from "../engine/spec/command-family.ts";
import { AUTHENTICATION_COMMANDS } from "./connection/authentication.ts";
import { CONNECTION_COMMANDS } from "./connection/connection.ts";

export const COMMANDS: CommandList = [
  ...AUTHENTICATION_COMMANDS,
  ...CONNECTION_COMMANDS,
  family(
    "bgrewriteaof",
    () =>
      (require("./persistence/bgrewriteaof.ts") as typeof import("./persistence/bgrewriteaof.ts"))
        .BGREWRITEAOF_COMMANDS,
  ),
  plainFamily(
    "setbit getbit bitcount bitpos bitop bitfield bitfield_ro",
    () => (require("./bitmap/bitmap.ts") as typeof import("./bitmap/bitmap.ts")).BITMAP_COMMANDS,
  ),
  plainFamily(
    "client",
    () => (require("./connection/client.ts") as typeof import("./connection/client.ts")).CLIENT_COMMANDS,
  ),
  plainFamily("config", () => (require("./server/config.ts") as typeof import("./server/config.ts")).CONFIG_COMMANDS),
  plainFamily(
    "command",
    () => (require("./server/command.ts") as typeof import("./server/command.ts")).COMMAND_COMMANDS,
  ),
  plainFamily("info", () => (require("./server/info.ts") as typeof import("./server/info.ts")).INFO_COMMANDS),
  family("debug", () => (require("./server/debug.ts") as typeof import("./server/debug.ts")).DEBUG_COMMANDS),
  plainFamily(
    "dbsize flushdb flushall swapdb",
    () => (require("./server/flush.ts") as typeof import("./server/flush.ts")).FLUSH_COMMANDS,
  ),
  family(
    "shutdown lastsave",
    () => (require("./server/shutdown.ts") as typeof import("./server/shutdown.ts")).SHUTDOWN_COMMANDS,
  ),
  plainFamily(
    "latency lolwut memory monitor slowlog time",
    () => (require("./server/diagnostics.ts") as typeof import("./server/diagnostics.ts")).DIAGNOSTIC_COMMANDS,
  ),
  plainFamily(
    "del unlink exists type touch randomkey expire pexpire expireat pexpireat ttl pttl expiretime pexpiretime " +
      "persist rename renamenx move copy scan keys object",
    () => (require("./generic/generic.ts") as typeof import("./generic/generic.ts")).GENERIC_COMMANDS,
  ),
  plainFamily("sort sort_ro", () => (require("./generic/sort.ts") as typeof import("./generic/sort.ts")).SORT_COMMANDS),
  plainFamily(
    "dump restore restore-asking",
    () => (require("./generic/dump.ts") as typeof import("./generic/dump.ts")).DUMP_COMMANDS,
  ),
  family("migrate", () => (require("./generic/migrate.ts") as typeof import("./generic/migrate.ts")).MIGRATE_COMMANDS),
  plainFamily(
    "geoadd geodist geohash geopos georadius georadius_ro georadiusbymember georadiusbymember_ro geosearch " +
      "geosearchstore",
    () => (require("./geo/geo.ts") as typeof import("./geo/geo.ts")).GEO_COMMANDS,
  ),
  plainFamily(
    "hset hmset hsetnx hdel hincrby hincrbyfloat hget hmget hlen hstrlen hexists hgetall hkeys hvals hrandfield " +
      "hscan hexpire hpexpire hexpireat hpexpireat httl hpttl hexpiretime hpexpiretime hpersist hgetdel hgetex hsetex",
    () => (require("./hash/hash.ts") as typeof import("./hash/hash.ts")).HASH_COMMANDS,
  ),
  plainFamily(
    "pfadd pfcount pfmerge pfdebug pfselftest",
    () =>
      (require("./hyperloglog/hyperloglog.ts") as typeof import("./hyperloglog/hyperloglog.ts")).HYPERLOGLOG_COMMANDS,
  ),
  plainFamily(
    "lpush rpush lpushx rpushx lpop rpop llen lindex lrange lpos lset linsert lrem ltrim lmove rpoplpush blmove " +
      "brpoplpush blpop brpop lmpop blmpop",
    () => (require("./list/list.ts") as typeof import("./list/list.ts")).LIST_COMMANDS,
  ),
  plainFamily(
    "subscribe unsubscribe psubscribe punsubscribe ssubscribe sunsubscribe publish spublish",
    () => (require("./pubsub/pubsub.ts") as typeof import("./pubsub/pubsub.ts")).PUBSUB_COMMANDS,
  ),
  plainFamily(
    "pubsub",
    () =>
      (require("./pubsub/introspection.ts") as typeof import("./pubsub/introspection.ts"))
        .PUBSUB_INTROSPECTION_COMMANDS,
  ),
  family("save bgsave", () => (require("./persistence/rdb.ts") as typeof import("./persistence/rdb.ts")).RDB_COMMANDS),
  family(
    "failover psync sync replconf replicaof slaveof role wait waitaof",
    () =>
      (require("./replication/replication.ts") as typeof import("./replication/replication.ts")).REPLICATION_COMMANDS,
  ),
  plainFamily(
    "sadd srem smove scard sismember smismember smembers sscan srandmember spop sinter sintercard sinterstore " +
      "sunion sunionstore sdiff sdiffstore",
    () => (require("./set/set.ts") as typeof import("./set/set.ts")).SET_COMMANDS,
  ),
  plainFamily(
    "xadd xtrim xdel xsetid xlen xrange xrevrange xread xreadgroup xgroup xack xpending xclaim xautoclaim xdelex " +
      "xackdel xinfo",
    () => (require("./stream/stream.ts") as typeof import("./stream/stream.ts")).STREAM_COMMANDS,
  ),
  plainFamily(
    "get set setnx setex psetex getset getdel getex mget mset msetnx msetex incr decr incrby decrby incrbyfloat " +
      "append setrange getrange substr strlen delex delifeq digest lcs",
    () => (require("./string/string.ts") as typeof import("./string/string.ts")).STRING_COMMANDS,
  ),
  plainFamily(
    "multi exec discard watch unwatch",
    () =>
      (require("./transactions/transactions.ts") as typeof import("./transactions/transactions.ts"))
        .TRANSACTION_COMMANDS,
  ),
  plainFamily(
    "zadd zincrby zrem zremrangebyrank zremrangebyscore zremrangebylex zcard zscore zmscore zrank zrevrank zscan " +
      "zrange zrangestore zrevrange zrangebyscore zrevrangebyscore zrangebylex zrevrangebylex zcount zlexcount " +
      "zpopmin zpopmax zmpop bzpopmin bzpopmax bzmpop zrandmember zunion zunionstore zinter zintercard zinterstore " +
      "zdiff zdiffstore",
    () => (require("./zset/zset.ts") as typeof import("./zset/zset.ts")).ZSET_COMMANDS,
  ),
];
