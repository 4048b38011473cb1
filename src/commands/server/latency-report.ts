/** LATENCY DOCTOR: the latency monitor's samples in words, with advice that fits the events that were seen. */
import type { Engine } from "../../engine/engine.ts";

/** Advice, and the events that call for it. */
interface Advice {
  readonly events: RegExp;
  readonly text: string;
}

const ADVICE: readonly Advice[] = [
  {
    events: /^command$/,
    text: "Commands themselves were slow. SLOWLOG GET names them; a slowlog-log-slower-than of about a millisecond catches what matters. Look for commands whose cost grows with the number of elements, such as KEYS, SORT, LRANGE or HGETALL of large values, and prefer the SCAN family.",
  },
  {
    events: /^fast-command$/,
    text: "Commands that do little work were slow. Then the machine did not give the server its time: look at the load of other programs, at virtualisation, and at swapping.",
  },
  {
    events: /^(?:expire-cycle|expire-del)$/,
    text: "Removing expired keys took long. Many keys that expire in the same second, or large values that expire, do that: spread expiry times, split large values, or set lazyfree-lazy-expire to yes.",
  },
  {
    events: /^eviction-/,
    text: "Evicting keys took long. Large values, and sudden jumps in memory use or of maxmemory, do that: split large values, set lazyfree-lazy-eviction to yes, leave room below maxmemory.",
  },
  {
    events: /^(?:aof-|rdb-)/,
    text: "Writing to the disk took long. Use a local disk that is fast at syncing, keep other programs from writing to it at the same time, and prefer appendfsync everysec to always.",
  },
  {
    events: /^fork$/,
    text: "Starting a background process took long. Smaller data sets in more processes, and a machine without transparent huge pages, shorten it.",
  },
];

/** The report, lines ended by line feeds. */
export function latencyReport(engine: Engine): string {
  const { latency } = engine;
  if (latency.events.size === 0) {
    if (latency.thresholdMs > 0) return "No event took longer than the threshold: there is nothing to report.\n";
    return (
      "The latency monitor is off, so nothing has been observed. To switch it on, set a threshold in milliseconds: " +
      "CONFIG SET latency-monitor-threshold <milliseconds>\n"
    );
  }
  let text = "These events took longer than the threshold:\n\n";
  let number = 0;
  for (const [event, series] of latency.events) {
    const { samples, averageMs, deviationMs, periodSeconds } = latency.summary(series);
    text +=
      `${++number}. ${event}: ${samples} latency spikes (average ${averageMs}ms, mean deviation ${deviationMs}ms, ` +
      `period ${periodSeconds.toFixed(2)} sec). Worst all time event ${series.max}ms.\n`;
  }
  return text + advice([...latency.events.keys()]);
}

function advice(events: readonly string[]): string {
  const fitting = ADVICE.filter((item) => events.some((event) => item.events.test(event)));
  if (fitting.length === 0) return "";
  return `\nWhat may help:\n\n${fitting.map((item) => `- ${item.text}\n`).join("")}`;
}
