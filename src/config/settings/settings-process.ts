/** Settings of the process: how it starts, logs, shows itself, dies and shares the machine. */

import { checkTitleTemplate } from "../proc-title.ts";
import { row, SettingFlag } from "./setting.ts";
import { clampedInt, int } from "./setting-number.ts";
import { oomScores } from "./setting-special.ts";
import { bool, type Check, enumeration, optionalText, text, wordFlags } from "./setting-types.ts";

const { Immutable, Hidden, Debug } = SettingFlag;

/** Range into which `hz` is moved. */
const HZ_MIN = 1n;
const HZ_MAX = 500n;

/** Bits of shutdown-on-sigint and shutdown-on-sigterm. 0 is the default behaviour: save if save points are set. */
export const ShutdownFlag = { NoSave: 1, Save: 2, Now: 4, Force: 8 } as const;

const SHUTDOWN_WORDS = {
  default: 0,
  save: ShutdownFlag.Save,
  nosave: ShutdownFlag.NoSave,
  now: ShutdownFlag.Now,
  force: ShutdownFlag.Force,
};

const notBothSaves: Check<number> = (flags) => {
  if ((flags & ShutdownFlag.Save) === 0 || (flags & ShutdownFlag.NoSave) === 0) return null;
  return "shutdown options SAVE and NOSAVE can't be used simultaneously";
};

const SYSLOG_FACILITIES = [
  "user",
  "local0",
  "local1",
  "local2",
  "local3",
  "local4",
  "local5",
  "local6",
  "local7",
] as const;

/** Makes the rows. */
export const processSettings = () => ({
  daemonize: row(bool(false), "Run in the background.", { flags: Immutable }),
  supervised: row(enumeration("no", ["upstart", "systemd", "auto", "no"]), "Supervisor to tell about readiness.", {
    flags: Immutable,
  }),
  pidfile: row(optionalText(), "File that holds the process id while the server runs.", { flags: Immutable }),
  loglevel: row(
    enumeration("notice", ["debug", "verbose", "notice", "warning", "nothing"]),
    "Least important level that is logged.",
  ),
  logfile: row(text(""), "File to log to; empty logs to standard output.", { flags: Immutable }),
  "log-format": row(enumeration("legacy", ["legacy", "logfmt"]), "Shape of a log line.", { only: "valkey" }),
  "log-timestamp-format": row(
    enumeration("legacy", ["legacy", "iso8601", "milliseconds"]),
    "Shape of the time in a log line.",
    { only: "valkey" },
  ),
  "hide-user-data-from-log": row(
    bool({ redis: false, valkey: true }),
    "Keep keys, values and arguments out of the log.",
  ),
  "syslog-enabled": row(bool(false), "Also log to the system log.", { flags: Immutable, ready: false }),
  "syslog-ident": row(text({ redis: "redis", valkey: "valkey" }), "Program name in the system log.", {
    flags: Immutable,
    ready: false,
  }),
  "syslog-facility": row(enumeration("local0", SYSLOG_FACILITIES), "Facility in the system log.", {
    flags: Immutable,
    ready: false,
  }),
  "crash-log-enabled": row(bool(true), "Log a report when the process crashes."),
  "crash-memcheck-enabled": row(bool(true), "Test the memory when the process crashes.", { ready: false }),
  "use-exit-on-panic": row(bool(false), "On a failed assertion, exit with status 1 instead of aborting.", {
    flags: Hidden,
  }),
  "watchdog-period": row(int(0), "Milliseconds after which a blocked event loop is logged; 0 never does.", {
    flags: Hidden,
    ready: false,
  }),
  "enable-debug-assert": row(bool(false), "Run expensive self-checks.", {
    flags: Immutable | Hidden,
    only: "valkey",
    ready: false,
  }),
  "debug-context": row(text(""), "Text to put into a crash report.", { flags: Debug | Hidden, only: "valkey" }),
  "always-show-logo": row(bool(false), "Draw the banner even when the log does not go to a terminal.", {
    flags: Immutable,
  }),
  "set-proc-title": row(bool(true), "Show state in the process title.", { flags: Immutable }),
  "proc-title-template": row(
    text("{title} {listen-addr} {server-mode}", checkTitleTemplate),
    "Process title: text with variables in braces.",
  ),
  hz: row(clampedInt(10, HZ_MIN, HZ_MAX), "Background tasks run this many times a second."),
  "dynamic-hz": row(bool(true), "Raise the frequency of background tasks with the number of clients."),
  "locale-collate": row(text(""), "Locale by which SORT ALPHA compares."),
  "ignore-warnings": row(text(""), "Names of start-up warnings not to stop for."),
  "disable-thp": row(bool(true), "Turn transparent huge pages off for this process.", {
    flags: Immutable,
    ready: false,
  }),
  "shutdown-timeout": row(int(10), "Seconds that a shutdown waits for replicas that lag behind."),
  "shutdown-on-sigint": row(wordFlags(SHUTDOWN_WORDS, notBothSaves), "Options of the shutdown that SIGINT starts."),
  "shutdown-on-sigterm": row(wordFlags(SHUTDOWN_WORDS, notBothSaves), "Options of the shutdown that SIGTERM starts."),
  "oom-score-adj": row(
    enumeration("no", ["no", "yes", "relative", "absolute"], { relative: "yes" }),
    "Tell the kernel which process to kill first when memory runs out.",
  ),
  "oom-score-adj-values": row(
    oomScores([0, 200, 800]),
    "Scores of a primary, a replica and a child process for the kernel's out-of-memory killer.",
  ),
  "server-cpulist": row(optionalText(), "Processors for the main thread.", {
    alias: "server_cpulist",
    flags: Immutable,
  }),
  "bio-cpulist": row(optionalText(), "Processors for background threads.", {
    alias: "bio_cpulist",
    flags: Immutable,
    ready: false,
  }),
  "aof-rewrite-cpulist": row(optionalText(), "Processors for the process that rewrites the append-only file.", {
    alias: "aof_rewrite_cpulist",
    flags: Immutable,
  }),
  "bgsave-cpulist": row(optionalText(), "Processors for the process that saves a snapshot.", {
    alias: "bgsave_cpulist",
    flags: Immutable,
  }),
  "extended-redis-compatibility": row(bool(false), "Call this server Redis in errors and replies.", { only: "valkey" }),
  "availability-zone": row(text(""), "Zone that this server runs in, told to clients that ask.", { only: "valkey" }),
});
