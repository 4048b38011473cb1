/**
 * LATENCY GRAPH: a bar a sample, at most 80 side by side, four lines high with three steps a line, and below each bar, top down, how long ago it was.
 *
 *   #        step 12, a full bar       |   a line that the bar passes through
 *   |o_      steps 2 and 1 of the lowest line
 *
 *   532      labels: "5s" is written downwards
 *   sss
 */
import type { LatencySeries } from "../../engine/statistics/latency.ts";

const COLUMNS = 80;
const ROWS = 4;
/** The top of a bar: one, two and three thirds of a line. */
const TOPS = "_o#";
const STEPS = ROWS * TOPS.length;

/** The graph of an event's samples. `nowSeconds` is the Unix time. */
export function latencyGraph(event: string, series: LatencySeries, nowSeconds: number): string {
  const values: number[] = [];
  const labels: string[] = [];
  for (let i = 0; i < series.count; i++) {
    values.push(series.latency(i));
    labels.push(age(nowSeconds - series.time(i)));
  }
  const low = Math.min(...values);
  const high = Math.max(...values);
  let text = `${event} - high ${high} ms, low ${low} ms (all time high ${series.max} ms)\n${"-".repeat(COLUMNS)}\n`;
  const steps = values.map((value) => stepOf(value - low, high - low));
  for (let from = 0; from < steps.length; from += COLUMNS) {
    if (from > 0) text += "\n";
    text += bars(steps.slice(from, from + COLUMNS)) + downwards(labels.slice(from, from + COLUMNS));
  }
  return text;
}

function stepOf(value: number, range: number): number {
  return Math.min(Math.trunc((value * STEPS) / (range === 0 ? 1 : range)), STEPS - 1);
}

function bars(steps: readonly number[]): string {
  let text = "";
  for (let row = ROWS - 1; row >= 0; row--) {
    for (const step of steps) {
      const above = step - row * TOPS.length;
      text += above < 0 ? " " : above < TOPS.length ? TOPS[above] : "|";
    }
    text += "\n";
  }
  return text;
}

/** An empty line, and the labels in columns. */
function downwards(labels: readonly string[]): string {
  const height = Math.max(...labels.map((label) => label.length));
  let text = `${" ".repeat(labels.length)}\n`;
  for (let row = 0; row < height; row++) {
    for (const label of labels) text += row < label.length ? label[row] : " ";
    text += "\n";
  }
  return text;
}

/** Seconds as a whole number of the largest fitting unit. */
function age(seconds: number): string {
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.trunc(seconds / 60)}m`;
  if (seconds < 3600 * 24) return `${Math.trunc(seconds / 3600)}h`;
  return `${Math.trunc(seconds / (3600 * 24))}d`;
}
