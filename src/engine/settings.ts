/** Puts the settings that concern the engine itself into effect: once at the start, and whenever CONFIG SET changes them. */
import type { Logger } from "../base/log.ts";
import type { SettingName } from "../config/settings/settings.ts";
import type { Engine } from "./engine.ts";
import { ExpiredKeys } from "./expiry.ts";
import { registerMemoryGate } from "./gates/memory-settings.ts";
import { registerStatistics } from "./statistics/statistics.ts";

/** Makes an engine follow its configuration. Called once, when the engine is made; a server has a log, which then follows too. */
export function registerEngineSettings(engine: Engine, log: Logger | null = null): void {
  registerStatistics(engine);
  follow(engine, ["slowlog-log-slower-than", "slowlog-max-len", "latency-monitor-threshold"], applySlowThresholds);
  follow(engine, "latency-tracking", ({ stats, config }) => {
    stats.tracksLatency = config.values.latencyTracking;
  });
  follow(engine, "requirepass", ({ authentication }) => authentication.applyRequirePass());
  follow(engine, ["lfu-log-factor", "lfu-decay-time"], applyFrequencies);
  follow(engine, "lazyfree-lazy-expire", ({ keyspace, config }) => {
    keyspace.lazyExpire = config.values.lazyfreeLazyExpire;
  });
  engine.keyspace.listener = new ExpiredKeys(engine);
  registerMemoryGate(engine);
  follow(engine, ["maxmemory-clients", "maxmemory"], limitClients);
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

/** What limits clients is loaded with the first limit. */
function limitClients(engine: Engine): void {
  if (engine.config.values.maxmemoryClients === 0 && engine.clientLimit === null) return;
  (require("./client/client-eviction.ts") as typeof import("./client/client-eviction.ts")).applyClientLimit(engine);
}

function applyFrequencies(engine: Engine): void {
  engine.keyspace.lfuLogFactor = engine.config.values.lfuLogFactor;
  engine.keyspace.lfuDecayMinutes = engine.config.values.lfuDecayTime;
}
