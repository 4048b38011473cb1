// Transactions on three connections: queueing, mistakes in it, watched keys that others change, whole databases that are flushed or exchanged.

import type { Draw } from "../draw.ts";
import type { Generator, Step } from "../generator.ts";

const KEYS = ["a", "b", "c", "\x00\xff"];

function key(draw: Draw): string {
  return draw.pick(KEYS);
}

function command(draw: Draw): string[] {
  return draw.weighted<string[]>([
    [8, () => [draw.token("MULTI")]],
    [10, () => [draw.token("EXEC")]],
    [2, () => [draw.token("DISCARD")]],
    [8, () => [draw.token("WATCH"), ...draw.times(draw.between(1, 3), () => key(draw))]],
    [1, () => [draw.token("UNWATCH")]],
    [12, () => ["SET", key(draw), draw.value()]],
    [8, () => ["GET", key(draw)]],
    [6, () => ["INCR", key(draw)]],
    [4, () => ["APPEND", key(draw), "x"]],
    [4, () => ["MSET", key(draw), "1", key(draw), "2"]],
    [4, () => ["GETDEL", key(draw)]],
    [2, () => ["SETRANGE", key(draw), "2", draw.bytes(3)]],
    // Long past or far away: nothing here may depend on when it runs.
    // SET of a key that is not there to a time long past makes one for an instant in Redis, which WATCH notices; not in Valkey, and not here.
    [1, () => ["SET", key(draw), "v", "PXAT", "99999999999999"]],
    [1, () => ["PEXPIREAT", key(draw), draw.pick(["1", "99999999999999"])]],
    [2, () => ["GETEX", key(draw), draw.pick(["PERSIST", "EX"])]],
    [3, () => ["SELECT", draw.pick(["0", "0", "0", "1", "99", "x"])]],
    [2, () => ["PING", ...draw.times(draw.below(2), () => draw.bytes(3))]],
    [1, () => ["FLUSHDB"]],
    [1, () => ["FLUSHALL"]],
    [1, () => ["SWAPDB", draw.pick(["0", "1"]), draw.pick(["0", "1", "2"])]],
    [1, () => ["NOSUCHCOMMAND", key(draw)]],
    [1, () => [draw.pick(["GET", "WATCH", "SET", "NOSUCH"])]],
    [1, () => [draw.pick(["EXEC", "MULTI", "DISCARD", "UNWATCH"]), "x"]],
    [1, () => ["SHUTDOWN", "x", "y", "z", "w", "v"]],
    [1, () => ["RESET"]],
  ]);
}

/** RESET also goes back to RESP2, on both sides alike. */
export const generator: Generator = {
  family: "transactions",
  clients: 3,
  draw: (draw): Step => ({ client: draw.below(3), args: command(draw) }),
  probes: () => [
    ["DISCARD"],
    ...["0", "1", "2"].flatMap((db) => [["SELECT", db], ...KEYS.map((name) => ["GET", name])]),
  ],
};
