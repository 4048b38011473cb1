/** LOLWUT: a piece of computer art, a new one every time, above the version. */
import { latin1 } from "../../base/bytes.ts";
import type { Prng } from "../../base/prng.ts";
import { type Context, command } from "../../engine/context.ts";
import { Flag } from "../../engine/spec/spec.ts";

const COLUMNS_MAX = 1000;
const ROWS_MAX = 200;
/** VERSION numbers are printed by nobody; only these choose another picture. */
const AUTOMATON_VERSION = 6;

/** A maze of diagonals: one coin toss a cell. */
function maze(prng: Prng, columns: number, rows: number): string {
  let text = "";
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) text += prng.below(2) === 0 ? "╱" : "╲";
    text += "\n";
  }
  return `${text}\nOne line of BASIC for a home computer, 1982. `;
}

/** Wolfram's rule 30 from a random first line; two generations a row of text. */
function automaton(prng: Prng, columns: number, rows: number): string {
  let line = Array.from({ length: columns }, () => prng.below(2));
  const next = () => {
    const last = line;
    line = last.map((cell, x) => (last[(x + columns - 1) % columns] ^ (cell | last[(x + 1) % columns])) & 1);
    return last;
  };
  let text = "";
  for (let y = 0; y < rows; y++) {
    const upper = next();
    const lower = next();
    for (let x = 0; x < columns; x++) text += " ▀▄█"[upper[x] + lower[x] * 2];
    text += "\n";
  }
  return `${text}\nRule 30, a line of cells and its descendants, 1983. `;
}

function bounded(value: number, max: number): number {
  return Math.min(Math.max(value, 1), max);
}

/** LOLWUT [VERSION n] [columns [rows]]. */
function lolwut(cx: Context): void {
  let at = 1;
  let version = 0;
  if (cx.argc >= 3 && cx.isToken(1, "version")) {
    version = cx.integer(2);
    at = 3;
  }
  const columns = bounded(cx.argc > at ? cx.integer(at) : 66, COLUMNS_MAX);
  const rows = bounded(cx.argc > at + 1 ? cx.integer(at + 1) : 12, ROWS_MAX);
  const draw = version === AUTOMATON_VERSION ? automaton : maze;
  const art = draw(cx.engine.keyspace.prng, columns, rows);
  const bytes = new TextEncoder().encode(`${art}Redis ver. ${cx.engine.config.personality.redisVersion}\n`);
  cx.reply.verbatim(latin1(bytes, 0, bytes.length));
}

export const LOLWUT_COMMANDS = [
  command({
    name: "lolwut",
    arity: -1,
    flags: Flag.Readonly | Flag.Fast,
    since: "5.0.0",
    group: "server",
    summary: "Draws a piece of computer art and tells the version.",
    complexity: "",
    syntax: "[VERSION version:integer]",
    run: lolwut,
  }),
];
