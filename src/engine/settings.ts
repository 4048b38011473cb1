/** Puts the settings that concern the engine itself into effect: once at the start, and whenever CONFIG SET changes them. */
import type { Logger } from "../base/log.ts";
import type { SettingName } from "../config/settings.ts";
import { ReplyError } from "../resp/errors.ts";
import { Origin } from "./client.ts";
import type { Context } from "./context.ts";
import type { Engine } from "./engine.ts";
import { ExpiredKeys } from "./expiry.ts";
import { ServerGate } from "./observer.ts";
import { type CommandSpec, Flag } from "./spec.ts";
import { registerStatistics } from "./statistics.ts";

const OOM = new ReplyError("OOM command not allowed when used memory > 'maxmemory'.");

/** Makes an engine follow its configuration. Called once, when the engine is made; a server has a log, which then follows too. */
export function registerEngineSettings(engine: Engine, log: Logger | null = null): void {
  registerStatistics(engine);
  follow(engine, ["slowlog-log-slower-than", "slowlog-max-len", "latency-monitor-threshold"], applySlowThresholds);
  follow(engine, "latency-tracking", ({ stats, config }) => {
    stats.tracksLatency = config.values.latencyTracking;
  });
  follow(engine, "requirepass", ({ authentication }) => authentication.applyRequirePass());
  follow(engine, ["lfu-log-factor", "lfu-decay-time"], applyFrequencies);
  follow(engine, "maxmemory-policy", applyMemoryPolicy);
  follow(engine, "lazyfree-lazy-expire", ({ keyspace, config }) => {
    keyspace.lazyExpire = config.values.lazyfreeLazyExpire;
  });
  engine.keyspace.listener = new ExpiredKeys(engine);
  applyMemoryLimit(engine);
  engine.config.onApply("maxmemory", () => {
    applyMemoryLimit(engine);
    warnAboutMemoryLimit(engine);
    return null;
  });
  engine.memoryGate = memoryGate;
  if (log === null) return;
  engine.log = log;
  follow(engine, "loglevel", ({ config }) => log.setLevel(config.values.loglevel));
  follow(engine, "log-format", ({ config }) => log.setFormat(config.values.logFormat));
  follow(engine, "log-timestamp-format", ({ config }) => log.setTimestampFormat(config.values.logTimestampFormat));
}

/** Applies settings now and after every change of one of them. */
function follow(engine: Engine, names: SettingName | readonly SettingName[], apply: (engine: Engine) => void): void {
  apply(engine);
  engine.config.onApply(names, () => {
    apply(engine);
    return null;
  });
}

function applySlowThresholds(engine: Engine): void {
  const { slowlog, latency, stats } = engine;
  const { slowlogLogSlowerThan, slowlogMaxLen, latencyMonitorThreshold } = engine.config.values;
  slowlog.thresholdUs = slowlogLogSlowerThan;
  slowlog.lengthMax = slowlogMaxLen;
  latency.thresholdMs = latencyMonitorThreshold;
  const slowlogUs = slowlog.active ? slowlog.thresholdUs : Number.POSITIVE_INFINITY;
  const latencyUs = latency.thresholdMs > 0 ? latency.thresholdMs * 1000 : Number.POSITIVE_INFINITY;
  stats.slowThresholdUs = Math.min(slowlogUs, latencyUs);
}

function applyFrequencies(engine: Engine): void {
  engine.keyspace.lfuLogFactor = engine.config.values.lfuLogFactor;
  engine.keyspace.lfuDecayMinutes = engine.config.values.lfuDecayTime;
}

function applyMemoryPolicy(engine: Engine): void {
  engine.keyspace.lfu = engine.config.values.maxmemoryPolicy.endsWith("-lfu");
  engine.keyspace.refreshAccessClock();
}

function applyMemoryLimit(engine: Engine): void {
  if (engine.config.values.maxmemory === 0) engine.gate &= ~ServerGate.MaxMemory;
  else engine.gate |= ServerGate.MaxMemory;
}

function warnAboutMemoryLimit(engine: Engine): void {
  const { maxmemory } = engine.config.values;
  const used = engine.memory.usedBytes;
  if (maxmemory === 0 || maxmemory >= used) return;
  engine.log.warning(
    `WARNING: the new maxmemory value set via CONFIG SET (${maxmemory}) is smaller than the current memory usage (${used}). ` +
      "Depending on maxmemory-policy, keys will be evicted or writes refused.",
  );
}

/** Refuses what may need more memory while the limit is reached. Nothing is evicted here, whatever the policy. */
function memoryGate(cx: Context, spec: CommandSpec): ReplyError | null {
  if (!deniedWhenFull(cx, spec)) return null;
  const { memory, config } = cx.engine;
  return memory.usedBytes > config.values.maxmemory ? OOM : null;
}

/** EXEC counts as the commands of its queue. */
function deniedWhenFull(cx: Context, spec: CommandSpec): boolean {
  if ((spec.flags & Flag.DenyOom) !== 0) return true;
  if (spec.name !== "exec" || cx.client.origin !== Origin.Client) return false;
  return cx.client.queue.some((queued) => (queued.spec.flags & Flag.DenyOom) !== 0);
}
