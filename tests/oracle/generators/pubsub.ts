// Pub/sub on three connections: who gets which messages, confirmations, PUBSUB, and what a listening client may not do.

import type { Draw } from "../draw.ts";
import type { Agreement, Generator, Step } from "../generator.ts";

const CHANNELS = ["a", "ab", "abc", "b", "ba", "\x00\xff", ""];
const PATTERNS = [
  "*",
  "a*",
  "ab",
  "a?",
  "?b*",
  "[ab]",
  "[^b]*",
  "a\\*",
  "a**",
  "*c",
  "abc*",
  "*b*",
  "",
  "\x00*",
  "[a-",
];

function names(draw: Draw, from: readonly string[], least: number): string[] {
  return draw.times(draw.between(least, 3), () => draw.pick(from));
}

function command(draw: Draw): string[] {
  return draw.weighted<string[]>([
    [4, () => ["SUBSCRIBE", ...names(draw, CHANNELS, 1)]],
    [3, () => ["UNSUBSCRIBE", ...names(draw, CHANNELS, 0)]],
    [4, () => ["PSUBSCRIBE", ...names(draw, PATTERNS, 1)]],
    [3, () => ["PUNSUBSCRIBE", ...names(draw, PATTERNS, 0)]],
    [3, () => ["SSUBSCRIBE", ...names(draw, CHANNELS, 1)]],
    [2, () => ["SUNSUBSCRIBE", ...names(draw, CHANNELS, 0)]],
    [12, () => ["PUBLISH", draw.pick(CHANNELS), draw.bytes(5)]],
    [5, () => ["SPUBLISH", draw.pick(CHANNELS), draw.bytes(5)]],
    [2, () => ["PUBSUB", draw.token("CHANNELS"), ...draw.times(draw.below(2), () => draw.pick(PATTERNS))]],
    [2, () => ["PUBSUB", draw.token("NUMSUB"), ...names(draw, CHANNELS, 0)]],
    [1, () => ["PUBSUB", draw.token("NUMPAT")]],
    [2, () => ["PUBSUB", draw.token("SHARDCHANNELS"), ...draw.times(draw.below(2), () => draw.pick(PATTERNS))]],
    [2, () => ["PUBSUB", draw.token("SHARDNUMSUB"), ...names(draw, CHANNELS, 0)]],
    [1, () => ["PUBSUB", draw.pick(["NONE", "NUMPAT", "CHANNELS", "x\r\ny"]), "x", "y"]],
    [1, () => ["PUBSUB"]],
    [1, () => [draw.pick(["SUBSCRIBE", "PUBLISH", "SPUBLISH", "PSUBSCRIBE", "SSUBSCRIBE"])]],
    [2, () => ["PING", ...draw.times(draw.below(3), () => draw.bytes(3))]],
    [1, () => [draw.pick(["GET", "MULTI", "EXEC"]), "x"]],
    [1, () => ["RESET"]],
  ]);
}

/** The same frames on each connection, in any order: redis-server walks its tables, we go by the time of subscription. */
const sameFrames: Agreement = (theirs, ours) => frames(theirs) === frames(ours);

function frames(exchange: string): string {
  return exchange
    .split(/(?=[0-2]: [*>$:+_-])/)
    .sort()
    .join("");
}

/** When everything is left at once, the names come in another order, so other counts stand beside them. */
const sameFramesButCounts: Agreement = (theirs, ours) => {
  const bare = (exchange: string): string => frames(exchange.replaceAll(/:\d+\r\n/g, ":n\r\n"));
  return bare(theirs) === bare(ours);
};

/** One array whose elements may stand in any order. */
const sameList: Agreement = (theirs, ours) => {
  const lines = (exchange: string): string =>
    exchange
      .split(/(?=\$\d+\r\n)|(?=[0-2]: )/)
      .sort()
      .join("");
  return lines(theirs) === lines(ours);
};

export const generator: Generator = {
  family: "pubsub",
  clients: 3,
  pushes: true,
  draw: (draw): Step => ({ client: draw.below(3), args: command(draw) }),
  agree: {
    // Messages to oneself follow the reply since Redis 7.2; before, they came ahead of it.
    PUBLISH: sameFrames,
    SPUBLISH: sameFrames,
    UNSUBSCRIBE: sameFramesButCounts,
    PUNSUBSCRIBE: sameFramesButCounts,
    SUNSUBSCRIBE: sameFramesButCounts,
    PUBSUB: sameList,
  },
};
