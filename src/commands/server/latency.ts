/** LATENCY: what the latency monitor has recorded, and the latency histograms of commands. */
import { untilNul } from "../../base/bytes.ts";
import { type Context, command } from "../../engine/context.ts";
import { type CommandLiteral, type CommandSpec, Flag } from "../../engine/spec/spec.ts";
import { cumulativeCounts, histogramCount } from "../../engine/statistics/histogram.ts";
import { ReplyError } from "../../resp/errors.ts";
import { writeHelp } from "../help.ts";
import { latencyGraph } from "./latency-graph.ts";
import { latencyReport } from "./latency-report.ts";

const ADMIN = Flag.Admin | Flag.Noscript | Flag.Loading | Flag.Stale;
const REPORT_TIPS = ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"];

/** The event that is asked for: what follows a NUL does not count. */
function eventName(cx: Context): string {
  return untilNul(cx.text(2));
}

function history(cx: Context): void {
  const series = cx.engine.latency.events.get(eventName(cx));
  const count = series?.count ?? 0;
  cx.reply.array(count);
  if (series === undefined) return;
  for (let i = 0; i < count; i++) {
    cx.reply.array(2);
    cx.reply.integer(series.time(i));
    cx.reply.integer(series.latency(i));
  }
}

function latest(cx: Context): void {
  const { events } = cx.engine.latency;
  cx.reply.array(events.size);
  for (const [event, series] of events) {
    cx.reply.array(4);
    cx.reply.bulkText(event);
    cx.reply.integer(series.time(series.count - 1));
    cx.reply.integer(series.latency(series.count - 1));
    cx.reply.integer(series.max);
  }
}

function graph(cx: Context): void {
  const { latency } = cx.engine;
  const event = eventName(cx);
  const series = latency.events.get(event);
  if (series === undefined) throw new ReplyError(`ERR No samples available for event '${event}'`);
  cx.reply.verbatim(latencyGraph(event, series, latency.nowSeconds));
}

function reset(cx: Context): void {
  const { latency } = cx.engine;
  let resets = 0;
  if (cx.argc === 2) resets = latency.reset();
  for (let i = 2; i < cx.argc; i++) resets += latency.resetEvent(cx.text(i));
  cx.reply.integer(resets);
}

function histogram(cx: Context): void {
  const { reply } = cx;
  const { commands } = cx.engine;
  const start = reply.beginDeferred();
  let count = 0;
  if (cx.argc === 2) for (const spec of commands.all()) count += writeHistograms(cx, spec);
  for (let i = 2; i < cx.argc; i++) {
    const spec = commands.lookup(cx.text(i));
    if (spec !== undefined) count += writeHistograms(cx, spec);
  }
  reply.endDeferred(start, count, "map");
}

/** Writes the histograms of a command and its subcommands, as far as there are any; returns how many. */
function writeHistograms(cx: Context, spec: CommandSpec): number {
  let count = 0;
  if (spec.histogram !== null) {
    writeHistogram(cx, spec.fullName, spec.histogram);
    count++;
  }
  for (const sub of spec.subcommands?.values() ?? []) count += writeHistograms(cx, sub);
  return count;
}

function writeHistogram(cx: Context, name: string, counts: Float64Array): void {
  const { reply } = cx;
  reply.bulkText(name);
  reply.map(2);
  reply.bulkText("calls");
  reply.integer(histogramCount(counts));
  reply.bulkText("histogram_usec");
  const start = reply.beginDeferred();
  let buckets = 0;
  cumulativeCounts(counts, (usec, count) => {
    reply.integer(usec);
    reply.integer(count);
    buckets++;
  });
  reply.endDeferred(start, buckets, "map");
}

/** LATENCY. */
export const LATENCY_COMMANDS: readonly CommandLiteral[] = [
  command({
    name: "latency",
    arity: -2,
    flags: 0,
    since: "2.8.13",
    group: "server",
    summary: "The commands that tell about latency.",
    complexity: "Depends on subcommand.",
    subcommands: [
      command({
        name: "doctor",
        arity: 2,
        flags: ADMIN,
        since: "2.8.13",
        group: "server",
        summary: "Tells about latency spikes in words, with advice.",
        complexity: "O(1)",
        tips: REPORT_TIPS,
        run(cx) {
          cx.reply.verbatim(latencyReport(cx.engine));
        },
      }),
      command({
        name: "graph",
        arity: 3,
        flags: ADMIN,
        since: "2.8.13",
        group: "server",
        summary: "Draws the latency spikes of an event with characters.",
        complexity: "O(1)",
        syntax: "event",
        tips: REPORT_TIPS,
        run: graph,
      }),
      command({
        name: "help",
        arity: 2,
        flags: Flag.Loading | Flag.Stale,
        since: "2.8.13",
        group: "server",
        summary: "Tells how to use LATENCY.",
        complexity: "O(1)",
        run(cx) {
          writeHelp(cx, HELP);
        },
      }),
      command({
        name: "histogram",
        arity: -2,
        flags: ADMIN,
        since: "7.0.0",
        group: "server",
        summary: "Tells how the latencies of commands are distributed.",
        complexity: "O(N) where N is the number of commands with latency information being retrieved.",
        syntax: "[command ...]",
        tips: REPORT_TIPS,
        run: histogram,
      }),
      command({
        name: "history",
        arity: 3,
        flags: ADMIN,
        since: "2.8.13",
        group: "server",
        summary: "Tells the latency spikes of an event with their times.",
        complexity: "O(1)",
        syntax: "event",
        tips: REPORT_TIPS,
        run: history,
      }),
      command({
        name: "latest",
        arity: 2,
        flags: ADMIN,
        since: "2.8.13",
        group: "server",
        summary: "Tells the last latency spike of every event.",
        complexity: "O(1)",
        tips: REPORT_TIPS,
        run: latest,
      }),
      command({
        name: "reset",
        arity: -2,
        flags: ADMIN,
        since: "2.8.13",
        group: "server",
        summary: "Forgets the latency spikes of some or all events.",
        complexity: "O(1)",
        syntax: "[event ...]",
        tips: ["request_policy:all_nodes", "response_policy:agg_sum"],
        run: reset,
      }),
    ],
  }),
];

const HELP = [
  "DOCTOR",
  "    Tell about latency spikes in words, with advice.",
  "GRAPH <event>",
  "    Draw the spikes of <event> with characters.",
  "HISTORY <event>",
  "    Tell the spikes of <event> with their times.",
  "LATEST",
  "    Tell the last spike of every event.",
  "RESET [<event> ...]",
  "    Forget the spikes of the given events, or of all when none is given.",
  "HISTOGRAM [COMMAND ...]",
  "    Tell how the latencies of the given commands, or of all when none is given, are distributed.",
];
