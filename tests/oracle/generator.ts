// The interface between the oracle runner and the families. A family is a file in generators/ that exports `generator`; the runner
// finds it there. Everything is a function of the seed: a generator keeps no state of its own between runs.
//
//   export const generator: Generator = {
//     family: "hashes",
//     draw: (draw) => ["HSET", draw.key(), draw.value(), draw.value()],
//     agree: { HGETALL: sameElements },
//     probes: () => KEYS.map((key) => ["HGETALL", key]),
//     absent: { HEXPIRE: "since 7.4" },
//   };

import { parseReply, type Reply } from "../support/reply.ts";
import type { Draw } from "./draw.ts";

/** A command: its name and arguments, in strings of one character a byte. */
export type Command = readonly string[];

/** A command on one of several connections. */
export interface Step {
  readonly client: number;
  readonly args: Command;
}

/** Whether two replies, as raw bytes, mean the same. `theirs` is redis-server's. */
export type Agreement = (theirs: string, ours: string) => boolean;

/** A difference that is meant to be. */
export interface KnownDifference {
  readonly reason: string;
  matches(args: Command, theirs: string, ours: string): boolean;
}

/** What a family supplies. Only `family` and `draw` are needed. */
export interface Generator {
  readonly family: string;
  /** One random command, valid or not; a Step when the family uses several connections. */
  draw(draw: Draw): Command | Step;
  /** Connections that it uses; 1 when absent. */
  readonly clients?: number;
  /**
   * True when connections may get pushes: every command is then followed by a PING on every connection, and all that came is compared.
   * Otherwise each command must have exactly one reply.
   */
  readonly pushes?: boolean;
  /** Commands (upper case) whose replies may differ in form: how to compare them. Others must be equal to the byte. */
  readonly agree?: Readonly<Record<string, Agreement>>;
  /** Commands that read the state which a run has left; run and compared at its end. */
  probes?(): readonly Command[];
  /** Commands and options of this family that redis-server 7.0 does not have, each with a reason. A command named here must not be drawn. */
  readonly absent?: Readonly<Record<string, string>>;
  /** Differences that are meant to be. */
  readonly known?: readonly KnownDifference[];
}

function parsed(raw: string): Reply | undefined {
  return parseReply(Buffer.from(raw, "latin1"), 0)?.reply;
}

/** Integer replies that differ by at most `tolerance`; anything else must be equal. For what depends on the time of day. */
export function within(tolerance: number): Agreement {
  return (theirs, ours) => {
    const [a, b] = [/^:(-?\d+)\r\n$/.exec(theirs), /^:(-?\d+)\r\n$/.exec(ours)];
    if (a === null || b === null) return theirs === ours;
    const [x, y] = [Number(a[1]), Number(b[1])];
    // Negative answers of TTL and the like are codes, not times.
    return x < 0 || y < 0 ? x === y : Math.abs(x - y) <= tolerance;
  };
}

/** Arrays and sets with the same elements in any order; maps and flat pairs must agree as sets of elements too. */
export const sameElements: Agreement = (theirs, ours) => {
  if (theirs[0] !== ours[0]) return false;
  return sortedText(parsed(theirs)) === sortedText(parsed(ours));
};

function sortedText(reply: Reply | undefined): string {
  const isCollection = Array.isArray(reply) || reply instanceof Set || reply instanceof Map;
  if (!isCollection) return JSON.stringify(String(reply));
  return [...reply]
    .map((item) => (Array.isArray(item) ? JSON.stringify(item.map(String)) : JSON.stringify(String(item))))
    .sort()
    .join(",");
}

/** Both replies are of the same kind (first byte); what they say may differ. */
export const sameKind: Agreement = (theirs, ours) => theirs[0] === ours[0];
