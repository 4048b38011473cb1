/**
 * Redis and Valkey contradict each other in some names, texts, defaults and behaviours. Every such difference is a field
 * here, so that the rest of the code asks `personality.expiryPropagatesUnlink` instead of who it is supposed to be.
 * Differences in which settings exist, and in their defaults, are in the rows of settings.ts.
 */

/** Which of the two servers to be. */
export type PersonalityName = "redis" | "valkey";

/** All differences, as values. One frozen object per personality; texts carry no error prefix unless they show one. */
export interface Personality {
  readonly name: PersonalityName;
  /** Name in log lines and errors: "Redis is loading ...". */
  readonly title: string;
  /** `server` field of HELLO, `server_name` of INFO, default of syslog-ident. */
  readonly serverName: string;
  /** `redis_version` of INFO, the Redis that this server is compatible with; `version` of HELLO where the server is called Redis. */
  readonly redisVersion: string;
  /** `valkey_version` of INFO and `version` of HELLO, null for Redis. */
  readonly valkeyVersion: string | null;
  /** What stands in the brackets of the "FATAL CONFIG FILE ERROR (...)" banner. */
  readonly configErrorTag: string;
  /** Word for the head of replication in errors and logs: "master" or "primary". */
  readonly primaryWord: string;
  /** The same in capitals, as in "Unable to AUTH to MASTER". */
  readonly primaryWordUpper: string;
  /** INFO server: is the mode field called `server_mode` (else `redis_mode`)? */
  readonly infoServerMode: boolean;
  /** Deletions decided by the server (expiry, eviction, GETEX or SET with a past time) are propagated as UNLINK instead of DEL. */
  readonly expiryPropagatesUnlink: boolean;
  /** Default of the five lazyfree-lazy-* settings and of replica-lazy-flush. */
  readonly lazyfreeDefault: boolean;
  /** UNSUBSCRIBE and its relatives fail with NOSUB when the client has no subscription. */
  readonly unsubscribeNeedsSubscription: boolean;
  /** MULTI or WATCH inside MULTI also spoils the transaction: the EXEC that follows answers EXECABORT. */
  readonly nestedMultiAborts: boolean;
  /** Error of a script that calls a command with the wrong number of arguments. */
  readonly scriptWrongArity: string;
  /** Error of a script that calls a command that does not exist. */
  readonly scriptUnknownCommand: string;
  /** Name of the Lua API table that error messages show: `redis.call` or `server.call`. */
  readonly scriptApiName: string;
  /** Past the limit of error codes: count the rest under ERRORSTATS_OVERFLOW (else disable the statistics and clear them). */
  readonly errorStatsOverflow: boolean;
  /** `qbuf` that CLIENT LIST shows for the client that asks. */
  readonly callerQueryBufferBytes: number;
  /** CLIENT LIST and INFO show `tot-net-in`, `tot-net-out` and `tot-cmds`. */
  readonly clientNetworkTotals: boolean;
  /** XREAD with too few ids: what may stand for an id. */
  readonly xreadIdChoices: string;
  /** XREAD understands `+`, the last entry of a stream. */
  readonly xreadLastEntry: boolean;
  /** How the "no ACL file" error opens. */
  readonly aclFileSubject: string;
  /** TOUCH updates the access time even for a client in NO-TOUCH mode. */
  readonly touchIgnoresNoTouch: boolean;
  /** Hash fields may expire (HEXPIRE family, their RDB types and events). */
  readonly hashFieldExpiry: boolean;
  /** Commands of Valkey alone exist: SCRIPT SHOW, BGSAVE CANCEL, CLUSTER SLOT-STATS, CLIENT CAPA, SENTINEL PRIMARY*. */
  readonly valkeyCommands: boolean;
  /** A full sync over a second connection (dual-channel-replication-enabled) can be negotiated. */
  readonly dualChannelReplication: boolean;
  /** Default of repl-backlog-size, bytes. */
  readonly replBacklogSizeDefault: number;
  /** RDB version that is written. */
  readonly rdbVersion: number;
  /** Highest RDB version that is read. */
  readonly rdbVersionMax: number;
  /** First line of a crash report, between the equals signs. */
  readonly crashReportStart: string;
}

const REDIS: Personality = Object.freeze({
  name: "redis",
  title: "Redis",
  serverName: "redis",
  redisVersion: "7.2.4",
  valkeyVersion: null,
  configErrorTag: "Redis 7.2.4",
  primaryWord: "master",
  primaryWordUpper: "MASTER",
  infoServerMode: false,
  expiryPropagatesUnlink: false,
  lazyfreeDefault: false,
  unsubscribeNeedsSubscription: false,
  nestedMultiAborts: false,
  scriptWrongArity: "Wrong number of args calling Redis command from script",
  scriptUnknownCommand: "Unknown Redis command called from script",
  scriptApiName: "redis",
  errorStatsOverflow: false,
  callerQueryBufferBytes: 26,
  clientNetworkTotals: false,
  xreadIdChoices: "an ID, '+', or '$'",
  xreadLastEntry: true,
  aclFileSubject: "This Redis instance",
  touchIgnoresNoTouch: true,
  hashFieldExpiry: true,
  valkeyCommands: false,
  dualChannelReplication: false,
  replBacklogSizeDefault: 1024 * 1024,
  rdbVersion: 10,
  rdbVersionMax: 12,
  crashReportStart: "REDIS BUG REPORT START",
} as const);

const VALKEY: Personality = Object.freeze({
  name: "valkey",
  title: "Valkey",
  serverName: "valkey",
  redisVersion: "7.2.4",
  valkeyVersion: "8.0.1",
  configErrorTag: "Version 8.0.1",
  primaryWord: "primary",
  primaryWordUpper: "PRIMARY",
  infoServerMode: true,
  expiryPropagatesUnlink: true,
  lazyfreeDefault: true,
  unsubscribeNeedsSubscription: true,
  nestedMultiAborts: true,
  scriptWrongArity: "Wrong number of args calling command from script",
  scriptUnknownCommand: "Unknown command called from script",
  scriptApiName: "server",
  errorStatsOverflow: true,
  callerQueryBufferBytes: 0,
  clientNetworkTotals: true,
  xreadIdChoices: "an ID or '$'",
  xreadLastEntry: false,
  aclFileSubject: "This instance",
  touchIgnoresNoTouch: false,
  hashFieldExpiry: false,
  valkeyCommands: true,
  dualChannelReplication: true,
  replBacklogSizeDefault: 10 * 1024 * 1024,
  rdbVersion: 11,
  rdbVersionMax: 11,
  crashReportStart: "VALKEY BUG REPORT START",
} as const);

/** The table of differences, by name. */
export const PERSONALITIES: Readonly<Record<PersonalityName, Personality>> = Object.freeze({
  redis: REDIS,
  valkey: VALKEY,
});

/** What `choosePersonality` found: the personality and the arguments without `--compat`, or an error to print. */
export type PersonalityChoice =
  | { readonly personality: Personality; readonly args: readonly string[] }
  | { readonly error: string };

/**
 * Chooses by `--compat redis|valkey` (or `--compat=...`) in `args`, else by the name the program was started under: a
 * path ending in `valkey-something` is Valkey, everything else is Redis. `--compat` is removed from the arguments, since
 * the rest of the command line is redis-server's.
 */
export function choosePersonality(argv0: string, args: readonly string[]): PersonalityChoice {
  let at = 0;
  while (at < args.length && args[at] !== "--compat" && !args[at].startsWith("--compat=")) at++;
  if (at === args.length) {
    const base = argv0.slice(argv0.lastIndexOf("/") + 1);
    return { personality: base.startsWith("valkey") ? VALKEY : REDIS, args };
  }
  const inline = args[at].startsWith("--compat=");
  const value = inline ? args[at].slice("--compat=".length) : (args[at + 1] ?? "");
  if (value !== "redis" && value !== "valkey") return { error: "--compat must be 'redis' or 'valkey'" };
  return { personality: PERSONALITIES[value], args: args.toSpliced(at, inline ? 1 : 2) };
}

/** The error of commands that cannot run while data load, with its prefix. */
export function loadingError(personality: Personality): string {
  return `LOADING ${personality.title} is loading the dataset in memory`;
}
