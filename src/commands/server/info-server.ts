/** INFO server, clients, cpu, modules, cluster and keyspace. */
import { readFileSync } from "node:fs";
import { machine, release, type } from "node:os";
import { latin1Bytes } from "../../base/bytes.ts";
import { Crc64 } from "../../base/crc64.ts";
import { REDIS_TS_VERSION } from "../../base/version.ts";
import { ClientFlag } from "../../engine/client/client.ts";
import type { Engine } from "../../engine/engine.ts";
import type { RecentPeak } from "../../engine/statistics/stats.ts";
import type { InfoField, InfoLine, InfoSection } from "./info-section.ts";

const SECONDS_A_DAY = 86400;
const ACCESS_CLOCK_MASK = 0xffffff;
/** A tick of the times in /proc/<pid>/stat, microseconds. */
const TICK_US = 10_000;
/** Where those times stand, counted from the field behind the program's name. */
const STAT_USER = 11;
const STAT_SYSTEM = 12;
const STAT_CHILDREN_USER = 13;
const STAT_CHILDREN_SYSTEM = 14;

function seconds(engine: Engine): number {
  return Math.floor(engine.nowMs() / 1000);
}

function uptimeSeconds(engine: Engine): number {
  return Math.floor((engine.nowMs() - engine.stats.startedMs) / 1000);
}

function mode(engine: Engine): string {
  return engine.config.values.clusterEnabled ? "cluster" : "standalone";
}

function calledServerMode(engine: Engine): boolean {
  return engine.config.personality.infoServerMode && !engine.config.values.extendedRedisCompatibility;
}

/** Tells builds apart: a digest of the version. */
function buildId(): string {
  const digest = new Crc64();
  const version = latin1Bytes(REDIS_TS_VERSION);
  digest.update(version, 0, version.length);
  return digest.toHex();
}

function pollingInterface(): string {
  if (process.platform === "linux") return "epoll";
  return process.platform === "win32" ? "iocp" : "kqueue";
}

const SERVER_FIELDS: readonly InfoField[] = [
  ["redis_version", ({ config }) => config.personality.redisVersion],
  ["server_name", ({ config }) => config.personality.serverName],
  ["valkey_version", ({ config }) => config.personality.valkeyVersion ?? "", "valkey"],
  ["redis_ts_version", REDIS_TS_VERSION],
  ["redis_git_sha1", "00000000"],
  ["redis_git_dirty", 0],
  ["redis_build_id", buildId],
  ["redis_mode", mode, (engine) => !calledServerMode(engine)],
  ["server_mode", mode, calledServerMode],
  ["os", () => `${type()} ${release()} ${machine()}`],
  ["arch_bits", 64],
  ["monotonic_clock", "POSIX clock_gettime"],
  ["multiplexing_api", pollingInterface],
  ["atomicvar_api", "none", "redis"],
  ["gcc_version", "0.0.0"],
  ["process_id", () => process.pid],
  ["process_supervised", "no"],
  ["run_id", ({ info }) => info.runId],
  ["tcp_port", ({ config }) => config.values.port || config.values.tlsPort],
  ["server_time_usec", ({ clock }) => clock.nowUs()],
  ["uptime_in_seconds", uptimeSeconds],
  ["uptime_in_days", (engine) => Math.floor(uptimeSeconds(engine) / SECONDS_A_DAY)],
  ["hz", ({ config }) => config.values.hz],
  ["configured_hz", ({ config }) => config.values.hz],
  ["lru_clock", (engine) => seconds(engine) & ACCESS_CLOCK_MASK],
  ["executable", (engine) => engine.process?.executable ?? ""],
  ["config_file", ({ config }) => config.configFile ?? ""],
  ["io_threads_active", 0],
  ["availability_zone", ({ config }) => config.values.availabilityZone, "valkey"],
  ["shutdown_in_milliseconds", shutdownInMs, (engine) => engine.process?.shutdownInMs != null],
];

function shutdownInMs({ process }: Engine): number {
  return process?.shutdownInMs ?? 0;
}

/** One line for each kind of socket that is listened on. */
function listeners(engine: Engine, line: InfoLine): void {
  const { port, tlsPort, bind, unixsocket } = engine.config.values;
  const binds = bind.map((address) => `,bind=${address}`).join("");
  let count = 0;
  if (port !== 0) line(`listener${count++}`, `name=tcp${binds},port=${port}`);
  if (unixsocket !== null && unixsocket !== "") line(`listener${count++}`, `name=unix,bind=${unixsocket}`);
  if (tlsPort !== 0) line(`listener${count++}`, `name=tls${binds},port=${tlsPort}`);
}

function countClients(engine: Engine, flags: number): number {
  let count = 0;
  for (const client of engine.clients.values()) if (client.has(flags)) count++;
  return count;
}

/** Bytes of the largest buffer of a client now or as the cron has seen it lately. */
function largestBuffer(engine: Engine, bytes: "inputBytes" | "pendingOutput", peak: RecentPeak): number {
  let largest = peak.largest(seconds(engine));
  for (const { link } of engine.clients.values()) largest = Math.max(largest, link[bytes]());
  return largest;
}

function subscribers(engine: Engine): number {
  let count = 0;
  for (const client of engine.clients.values())
    if (client.subscriptionCount + (client.shardChannels?.size ?? 0) > 0) count++;
  return count;
}

const CLIENTS_FIELDS: readonly InfoField[] = [
  ["connected_clients", (engine) => engine.clients.size - countClients(engine, ClientFlag.Replica)],
  ["cluster_connections", 0],
  ["maxclients", ({ config }) => config.values.maxclients],
  ["client_recent_max_input_buffer", (engine) => largestBuffer(engine, "inputBytes", engine.stats.inputPeak)],
  ["client_recent_max_output_buffer", (engine) => largestBuffer(engine, "pendingOutput", engine.stats.outputPeak)],
  ["blocked_clients", ({ blocking, pause }) => blocking.clientCount + pause.postponedCount],
  ["tracking_clients", 0],
  ["pubsub_clients", subscribers],
  ["watching_clients", ({ watches }) => watches.clientCount],
  ["clients_in_timeout_table", ({ blocking }) => blocking.deadlineCount],
  ["total_watched_keys", ({ watches }) => watches.keyCount],
  ["total_blocking_keys", ({ blocking }) => blocking.keyCount],
  ["total_blocking_keys_on_nokey", ({ blocking }) => blocking.lossKeyCount],
];

/** Times of a process or thread in ticks, from its stat file; null where there is no such file. */
function statTimes(path: string): number[] | null {
  try {
    const text = readFileSync(path, "latin1");
    return text
      .slice(text.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
  } catch {
    return null;
  }
}

function cpu(_engine: Engine, line: InfoLine): void {
  const usage = process.cpuUsage();
  const children = statTimes("/proc/self/stat");
  const thread = statTimes(`/proc/self/task/${process.pid}/stat`);
  line("used_cpu_sys", microseconds(usage.system));
  line("used_cpu_user", microseconds(usage.user));
  line("used_cpu_sys_children", microseconds((children?.[STAT_CHILDREN_SYSTEM] ?? 0) * TICK_US));
  line("used_cpu_user_children", microseconds((children?.[STAT_CHILDREN_USER] ?? 0) * TICK_US));
  if (thread === null) return;
  line("used_cpu_sys_main_thread", microseconds(thread[STAT_SYSTEM] * TICK_US));
  line("used_cpu_user_main_thread", microseconds(thread[STAT_USER] * TICK_US));
}

/** Seconds with six decimals. */
function microseconds(usec: number): string {
  return (usec / 1e6).toFixed(6);
}

function keyspace(engine: Engine, line: InfoLine): void {
  const { hashFieldExpiry } = engine.config.personality;
  for (const db of engine.keyspace.databases) {
    if (db.size === 0 && db.expiresSize === 0) continue;
    const subexpiry = hashFieldExpiry ? `,subexpiry=${db.hashExpiry.size}` : "";
    line(`db${db.id}`, `keys=${db.size},expires=${db.expiresSize},avg_ttl=${Math.floor(db.averageTtlMs)}${subexpiry}`);
  }
}

export const SERVER_SECTION: InfoSection = {
  names: ["server"],
  title: "Server",
  shown: "default",
  fields: SERVER_FIELDS,
  lines: listeners,
};
export const CLIENTS_SECTION: InfoSection = {
  names: ["clients"],
  title: "Clients",
  shown: "default",
  fields: CLIENTS_FIELDS,
};
export const CPU_SECTION: InfoSection = { names: ["cpu"], title: "CPU", shown: "default", lines: cpu };
export const MODULES_SECTION: InfoSection = {
  names: ["modules", "module_list"],
  title: "Modules",
  shown: "default",
};
export const CLUSTER_SECTION: InfoSection = {
  names: ["cluster"],
  title: "Cluster",
  shown: "default",
  fields: [["cluster_enabled", ({ config }) => (config.values.clusterEnabled ? 1 : 0)]],
};
export const KEYSPACE_SECTION: InfoSection = {
  names: ["keyspace"],
  title: "Keyspace",
  shown: "default",
  lines: keyspace,
};
