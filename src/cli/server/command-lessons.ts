/**
 * What commands are rehearsed on (command-rehearsal.ts): lessons of commands that follow each other on an empty database. Each type is met in its compact and in
 * its large form; a value longer than the compact forms admit makes one into the other at once, where a thousand elements would take as many times as long.
 */

/** Longer than the default of every `*-max-listpack-value`. */
const LONG = "long:".padEnd(100, "0123456789");
/** Elements of a value. */
const FEW = 12;
const MANY = 20;

/** The same command with numbers in place of #. */
function each(command: string, count = FEW, first = 1): string[] {
  return Array.from({ length: count }, (_, i) => command.replaceAll("#", String(first + i).padStart(8, "0")));
}

/** What clients say when they connect; INFO by the sections that come without being named. */
export const FIRST_WORDS: readonly string[] = [
  "hello 3",
  "hello 2",
  "client setinfo lib-name practice",
  "client setname practice",
  "client id",
  "select 0",
  ..."server clients memory persistence stats replication cpu modules cluster keyspace"
    .split(" ")
    .map((section) => `info ${section}`),
  "config get maxmemory",
];

const STRINGS = [
  ...each("set key:# value:#"),
  ...each("get key:#"),
  ...each("get absent:#", 2),
  ...each("set key:# other:#", 4),
  ...each("incr counter", 8),
  "incrby counter 10",
  "decr counter",
  "get counter",
  `set key:long ${LONG.repeat(10)}`,
  "get key:long",
  "append key:00000001 more",
  "strlen key:00000001",
  "getrange key:00000001 0 4",
  "set key:00000002 value ex 100",
  "set key:00000003 value nx",
  "setex key:00000004 100 value",
  "setnx key:new value",
  `mset ${each("key:# value:#").join(" ")}`,
  `mget ${each("key:#").join(" ")}`,
  ...each("exists key:#", 4),
  ...each("expire key:# 100", 4),
  ...each("ttl key:#", 4),
  ...each("type key:#", 2),
  ...each("del key:#"),
  "getdel key:long",
];

/** Of a hash: the same commands in either form. */
const HASHES = [
  ...each("hset hash field:# value:#"),
  ...each("hset hash field:# other:#", 4),
  `hset hash ${each("field:# value:#", FEW, 5).join(" ")}`,
  ...each("hget hash field:#"),
  ...each("hget hash absent:#", 2),
  `hmget hash ${each("field:#").join(" ")}`,
  "hgetall hash",
  "hlen hash",
  "hexists hash field:00000001",
  ...each("hincrby hash number 1", 2),
  ...each("hdel hash field:#", 4),
  "del hash",
];

const SETS = [
  ...each("sadd set member:#"),
  `sadd set ${each("member:#").join(" ")}`,
  ...each("sismember set member:#", 8),
  ...each("sismember set absent:#", 2),
  "scard set",
  "smembers set",
  "srandmember set",
  ...each("srem set member:#", 4),
  ...each("spop set", 4),
  "del set",
];

const INTEGER_SETS = [
  ...each("sadd numbers 1#", 8),
  "sadd numbers 1000000",
  "sismember numbers 1000000",
  "smembers numbers",
  "spop numbers",
  "srem numbers 1000000",
  "del numbers",
];

const SORTED_SETS = [
  ...each("zadd zset 1# member:#"),
  ...each("zadd zset 5 member:#", 4),
  `zadd zset ${each("1#.5 member:#").join(" ")}`,
  ...each("zscore zset member:#", 8),
  ...each("zscore zset absent:#", 2),
  ...each("zrank zset member:#", 4),
  "zcard zset",
  "zrange zset 0 -1",
  "zrange zset 0 -1 withscores",
  "zrevrange zset 0 4",
  "zrangebyscore zset 100000003 100000008",
  "zincrby zset 1 member:00000003",
  ...each("zrem zset member:#", 4),
  ...each("zpopmin zset", 5),
  "del zset",
];

const SMALL_LISTS = [
  ...each("lpush list value:#"),
  ...each("rpush list value:#"),
  `rpush list ${each("value:#").join(" ")}`,
  "llen list",
  "lrange list 0 -1",
  "lindex list 5",
  ...each("lpop list"),
  ...each("rpop list"),
  "lset list 0 other",
  "ltrim list 0 5",
  "del list",
];

/** Lists have no such value: they become large by their bytes. */
const LARGE_LISTS = [
  ...each(`rpush list ${LONG.repeat(8)}`, MANY),
  ...each(`lpush list ${LONG.repeat(8)}`, MANY),
  "lrange list 0 9",
  "lindex list 20",
  ...each("lpop list", MANY),
  ...each("rpop list", MANY - 1),
  "del list",
];

/** A compact value becomes a large one. */
const CONVERSIONS = [
  `hset hash ${each("field:# value:#", MANY).join(" ")}`,
  `hset hash field:long ${LONG}`,
  `zadd zset ${each("1# member:#", MANY).join(" ")}`,
  `zadd zset 1 ${LONG}`,
  `sadd set ${each("member:#", MANY).join(" ")}`,
  `sadd set ${LONG}`,
  `sadd numbers ${each("1#", MANY).join(" ")}`,
  "sadd numbers member",
];

const STREAMS = [
  ...each("xadd stream * field:# value:#", 2 * FEW),
  "xadd stream maxlen ~ 1000 * field value",
  "xlen stream",
  "xrange stream - +",
  "xrevrange stream + - count 4",
  "xread count 4 streams stream 0",
  "del stream",
];

export const LESSONS: readonly (readonly string[])[] = [
  FIRST_WORDS,
  STRINGS,
  HASHES,
  [`hset hash field:long ${LONG}`, ...HASHES],
  SMALL_LISTS,
  LARGE_LISTS,
  INTEGER_SETS,
  SETS,
  [`sadd set ${LONG}`, ...SETS],
  SORTED_SETS,
  [`zadd zset 1 ${LONG}`, ...SORTED_SETS],
  CONVERSIONS,
  STREAMS,
];
