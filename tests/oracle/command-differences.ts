// Where our metadata differs from that of redis-server 7.0 and is right, because it follows later versions. A row that no longer tells a difference
// fails the test. Rows of commands that we do not have yet wait.

/** Why a field differs. */
const REASONS = {
  renamed: "Later versions call an argument otherwise.",
  grouped: "Later versions cut the groups of arguments otherwise; the grammar is the same.",
  accepts: "Later versions accept more or fewer arguments.",
  documented: "7.0 leaves something out, or is mistaken about its own history.",
  deprecated: "Deprecated by later versions.",
  tips: "Later versions changed the hints to cluster clients.",
  scripts: "Later versions allow the command in scripts, where it does not block.",
  loading: "Later versions allow the command while the data set is loaded.",
  overwrites: "7.0 says that the destination is read before it is replaced; it is not.",
} as const;

/** Names of the reasons. */
export type Reason = keyof typeof REASONS;

/** [commands, field, reason]. */
type Row = readonly [commands: string, field: string, reason: Reason];

const ROWS: readonly Row[] = [
  ["acl|cat bitop cluster|setslot lcs sort sort_ro xclaim xinfo|consumers xsetid", "arguments", "renamed"],
  ["xgroup|create xgroup|createconsumer xgroup|delconsumer xgroup|destroy xgroup|setid", "arguments", "renamed"],
  ["client|kill client|list config|get georadius georadiusbymember migrate module|loadex", "arguments", "grouped"],
  ["psubscribe xinfo|stream", "arguments", "grouped"],
  ["command|getkeys command|getkeysandflags", "arguments", "documented"],
  ["command|getkeys command|getkeysandflags zrank zrevrank", "arity", "accepts"],
  ["geohash geopos geosearch geosearchstore hscan pfmerge zrank zrevrank", "arguments", "accepts"],
  ["client|pause", "since", "documented"],
  ["georadius_ro georadiusbymember georadiusbymember_ro", "history", "documented"],
  ["psetex quit setex setnx", "deprecated_since", "deprecated"],
  ["psetex quit setex setnx", "replaced_by", "deprecated"],
  ["psetex quit setex setnx", "doc_flags", "deprecated"],
  ["acl|deluser acl|save acl|setuser client|setname config|resetstat config|rewrite", "tips", "tips"],
  ["latency|reset msetnx randomkey scan", "tips", "tips"],
  ["blmove blpop brpop brpoplpush bzpopmax bzpopmin wait", "flags", "scripts"],
  ["wait", "categories", "documented"],
  ["psync sync", "complexity", "documented"],
  ["cluster|shards cluster|slots", "flags", "loading"],
  ["sinterstore", "keys", "overwrites"],
];

/** "command field" -> the reason for the difference. */
export const DIFFERENCES: ReadonlyMap<string, string> = new Map(
  ROWS.flatMap(([commands, field, reason]) =>
    commands.split(" ").map((command) => [`${command} ${field}`, REASONS[reason]] as const),
  ),
);
