/**
 * Puts the engine's statistics to work: slow commands go to the slow log and the latency monitor, the parts of used memory are found, and the cron's samples
 * are taken.
 */
import { latin1 } from "../../base/bytes.ts";
import { Origin } from "../client/client.ts";
import type { Engine } from "../engine.ts";
import type { HandlerContext } from "../handler-context.ts";
import type { PubSub } from "../pubsub/pubsub.ts";
import { REDACTED, redactedArguments } from "../spec/redaction.ts";
import { type CommandSpec, Flag } from "../spec/spec.ts";
import { SLOWLOG_ARGUMENT_BYTES_MAX, SLOWLOG_ARGUMENTS_MAX } from "./slowlog.ts";

/** Estimated bytes of a client, of a channel or pattern with its listeners, and of a watched key. */
const CLIENT_BYTES = 2048;
const CHANNEL_BYTES = 128;
const WATCHED_KEY_BYTES = 160;

const SAMPLE_INTERVAL_US = 100_000;

/** Takes the samples that the cron asks for, however often that runs. */
class Sampler {
  readonly #engine: Engine;
  #nextUs = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  sample(): void {
    const { stats, memory, lastUs } = this.#engine;
    if (lastUs < this.#nextUs) return;
    this.#nextUs = lastUs + SAMPLE_INTERVAL_US;
    stats.sample(lastUs);
    memory.residentBytes = process.memoryUsage.rss();
    memory.notePeak(this.#engine.nowMs());
  }
}

/** Plugs the statistics into an engine. Called once, when it is made. */
export function registerStatistics(engine: Engine): void {
  const sampler = new Sampler(engine);
  engine.sampleStatistics = () => sampler.sample();
  engine.recordSlow = (cx, spec, usec) => recordSlow(engine, cx, spec, usec);
  engine.stats.errors.onDisabled = (codes) => {
    engine.log.warning(
      "Errorstats stopped adding new errors: there are too many different codes, which scripts may have made up. They are in the next line; CONFIG RESETSTAT starts anew.",
    );
    engine.log.warning(`Current errors code list: ${codes.join(", ")}`);
  };
  const { memory } = engine;
  // Whoever has their connections knows their buffers, too, and says so in place of this.
  memory.setPart("clients-normal", () => engine.clients.size * CLIENT_BYTES + memory.heldRequestBytes);
  memory.setPart("pubsub", () => (engine.hasPubSub ? listened(engine.pubsub) * CHANNEL_BYTES : 0));
  memory.setPart("watched-keys", () => engine.watches.keyCount * WATCHED_KEY_BYTES);
  memory.setPart("slow-log", () => engine.slowlog.bytes);
  memory.startupBytes = memory.usedBytes;
  memory.notePeak(engine.nowMs());
}

/** Channels and patterns that somebody listens to. */
function listened({ channels, shardChannels, patterns }: PubSub): number {
  return channels.size + shardChannels.size + patterns.size;
}

function recordSlow(engine: Engine, cx: HandlerContext, spec: CommandSpec, usec: number): void {
  const { slowlog, latency } = engine;
  latency.record((spec.flags & Flag.Fast) !== 0 ? "fast-command" : "command", usec / 1000);
  if ((spec.flags & Flag.SkipSlowlog) !== 0 || !slowlog.active || usec < slowlog.thresholdUs) return;
  // A script's command is its caller's.
  const client = cx.client.origin === Origin.Script ? (engine.executing ?? cx.client) : cx.client;
  slowlog.add({
    time: latency.nowSeconds,
    usec: Math.floor(usec),
    args: trimmedArguments(cx, spec),
    address: client.link.address,
    clientName: client.name,
  });
}

/** The arguments as the slow log keeps them: not too many, not too long, and without secrets. */
function trimmedArguments(cx: HandlerContext, spec: CommandSpec): string[] {
  const secrets = redactedArguments(cx, spec);
  const shown = cx.argc > SLOWLOG_ARGUMENTS_MAX ? SLOWLOG_ARGUMENTS_MAX - 1 : cx.argc;
  const args: string[] = [];
  for (let i = 0; i < shown; i++) args.push(secrets.has(i) ? REDACTED : trimmed(cx, i));
  if (shown < cx.argc) args.push(`... (${cx.argc - shown} more arguments)`);
  return args;
}

function trimmed(cx: HandlerContext, i: number): string {
  const more = cx.length[i] - SLOWLOG_ARGUMENT_BYTES_MAX;
  if (more <= 0) return cx.text(i);
  return `${latin1(cx.buf, cx.start[i], SLOWLOG_ARGUMENT_BYTES_MAX)}... (${more} more bytes)`;
}
