// The HyperLogLog commands. GET compares the payloads to the byte, and PFCOUNT the estimates.

import { type Draw, spoil } from "../draw.ts";
import type { Command, Generator } from "../generator.ts";

const KEYS = ["a", "b", "c", "d", "key:4", "\x00\xff\r\n", ""];
/**
 * The one key that gets damaged payloads, and then one element at a time: of several elements before the one that meets the damage redis-server
 * keeps the changes, untold, and we keep none.
 */
const BROKEN = "broken";
const EMPTY_SPARSE = "HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x7f\xff";

function elements(draw: Draw, countMax: number): string[] {
  return draw.times(draw.below(countMax + 1), () =>
    draw.weighted<string>([
      [6, () => `e${draw.below(3000)}`],
      [2, () => draw.bytes(40)],
      [1, () => draw.value()],
    ]),
  );
}

/** A payload that is damaged, or whole but unusual: header, registers, length. */
function payload(draw: Draw): string {
  const header = (encoding: string) => `HYLL${encoding}\x00\x00\x00${"\x00".repeat(7)}\x80`;
  return draw.weighted<string>([
    [2, () => EMPTY_SPARSE],
    // Not in the middle of the opcode: redis-server then writes a byte past the end of the value, and reads it later.
    [1, () => EMPTY_SPARSE.slice(0, draw.below(17))],
    [1, () => `${header("\x01")}\x80\x84\x7f\xfd`],
    [1, () => `${header("\x01")}\x80\x88\x40\x00\x7f\xfc`],
    [1, () => `${header("\x01")}\x80\x7f\xff`],
    [1, () => `${header("\x01")}`],
    [1, () => `${header("\x00")}${"\x00".repeat(draw.pick([12288, 12287, 5]))}`],
    [1, () => `${header("\x00")}${"\x41\x10\x04".repeat(4096)}`],
    [1, () => `${header("\x02")}\x7f\xff`],
    [1, () => "12"],
  ]);
}

function command(draw: Draw): string[] {
  const key = draw.pick(KEYS);
  const keys = (max: number) => draw.times(draw.below(max + 1), () => draw.pick(KEYS));
  return draw.weighted<string[]>([
    [10, () => ["PFADD", key, ...elements(draw, 6)]],
    [1, () => ["PFADD", key, ...elements(draw, 400)]],
    [6, () => ["PFCOUNT", key]],
    [3, () => ["PFCOUNT", key, ...keys(3)]],
    [4, () => ["PFMERGE", key, ...keys(3)]],
    [2, () => ["PFDEBUG", draw.token(draw.pick(["ENCODING", "DECODE", "ENCODING", "TODENSE"])), key]],
    [1, () => ["PFDEBUG", draw.pick(["GETREG", "GETREG", "x"]), key]],
    [5, () => ["GET", key]],
    [2, () => ["OBJECT", "ENCODING", key]],
    [1, () => ["STRLEN", key]],
    [2, () => ["SET", BROKEN, payload(draw)]],
    [2, () => ["PFADD", BROKEN, ...elements(draw, 1)]],
    [2, () => [draw.pick(["PFCOUNT", "GET", "PFMERGE"]), BROKEN]],
    [1, () => ["PFDEBUG", draw.pick(["GETREG", "DECODE", "TODENSE", "ENCODING"]), BROKEN]],
    [1, () => [draw.pick(["PFCOUNT", "PFMERGE"]), key, BROKEN]],
    [1, () => ["DEL", key]],
    [1, () => ["CONFIG", "SET", "hll-sparse-max-bytes", draw.pick(["0", "20", "200", "3000", "16000"])]],
    [1, () => (draw.chance(20) ? ["HSET", key, "f", "v"] : ["EXISTS", key])],
  ]);
}

export const generator: Generator = {
  family: "hyperloglogs",
  draw(draw): Command {
    const args = command(draw);
    args[0] = draw.token(args[0]!);
    const fragile = args.includes(BROKEN) || args[0]!.toLowerCase() === "config";
    return !fragile && draw.chance(3) ? spoil(draw, args) : args;
  },
  probes: () =>
    [...KEYS, BROKEN].flatMap((key) => [
      ["GET", key],
      ["PFCOUNT", key],
      ["PFDEBUG", "GETREG", key],
      ["GET", key],
    ]),
  absent: {
    "PFDEBUG SIMD": "since 8.0",
  },
};
