/** What the server counts about itself: INFO's stats, error statistics, the slow log's threshold. */
import type { Context } from "./context.ts";
import type { CommandSpec } from "./spec.ts";

export class Stats {
  commandsProcessed = 0;
  connectionsReceived = 0;
  rejectedConnections = 0;
  netInputBytes = 0;
  netOutputBytes = 0;
  errorReplies = 0;
  /** Error code -> replies. */
  readonly errors = new Map<string, number>();
  /** Commands that took at least this many microseconds go to slowSink; Infinity: none. */
  slowThresholdUs = Number.POSITIVE_INFINITY;
  slowSink: (cx: Context, spec: CommandSpec, usec: number) => void = () => {};

  /** Counts an error reply by its code, the first word of its text. */
  countError(text: string): void {
    this.errorReplies++;
    const space = text.indexOf(" ");
    const code = space < 0 ? text : text.slice(0, space);
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
  }

  recordSlow(cx: Context, spec: CommandSpec, usec: number): void {
    this.slowSink(cx, spec, usec);
  }
}
