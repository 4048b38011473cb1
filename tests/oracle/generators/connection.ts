// PING, ECHO, SELECT, RESET, AUTH, HELLO and CLIENT. Nobody is disconnected, and a pause is short.

import { type Draw, spoil } from "../draw.ts";
import type { Agreement, Command, Generator, Step } from "../generator.ts";

const NAMES: readonly string[] = [
  "",
  "me",
  "worker-1",
  "a b",
  "a\nb",
  "tab\there",
  "\x7f",
  "é",
  "nul\x00 hidden",
  "~!",
];
const TYPES: readonly string[] = ["normal", "NORMAL", "pubsub", "replica", "slave", "master", "foo", ""];
/** Ids and seconds that are nobody's, or no number. */
const NOBODY: readonly string[] = ["999999", "0", "-1", "9223372036854775807", "9223372036854775808", "x", "1.5", ""];

/** At most one option: of several, 7.0 puts the first into effect before it looks at the next; later versions look at all of them first. */
function helloOptions(draw: Draw): string[] {
  return draw.weighted<string[]>([
    [3, () => []],
    [3, () => [draw.token("AUTH"), draw.pick(["default", "nobody"]), draw.pick(["x", ""])]],
    [3, () => [draw.token("SETNAME"), draw.pick(NAMES)]],
    [1, () => [draw.pick(["FOO", "AUTH", "SETNAME", ""])]],
  ]);
}

function killFilter(draw: Draw): string[] {
  return draw.weighted<string[]>([
    [3, () => [draw.token("ID"), draw.pick(NOBODY)]],
    [2, () => [draw.token("TYPE"), draw.pick(["pubsub", "replica", "master", "foo"])]],
    [1, () => [draw.token("ADDR"), "1.2.3.4:5"]],
    [1, () => [draw.token("LADDR"), "1.2.3.4:5"]],
    [1, () => [draw.token("USER"), "nobody"]],
    [1, () => [draw.token("SKIPME"), draw.pick(["yes", "no", "maybe"])]],
  ]);
}

/** A kill that hits nobody: whatever else stands there, the address is no client's. */
function kill(draw: Draw): string[] {
  const filters = draw.times(draw.between(1, 3), () => killFilter(draw));
  return [...filters, ["ADDR", "1.2.3.4:5"]].flat();
}

function clientCommand(draw: Draw): string[] {
  const onOff = (): string => draw.pick(["ON", "off", "On", "maybe", ""]);
  return draw.weighted<string[]>([
    [2, () => ["ID"]],
    [2, () => ["INFO"]],
    [3, () => ["GETNAME"]],
    [4, () => ["SETNAME", draw.pick(NAMES)]],
    [1, () => ["LIST"]],
    [2, () => ["LIST", draw.token("TYPE"), draw.pick(TYPES)]],
    [2, () => ["LIST", draw.token("ID"), ...draw.times(draw.below(3), () => draw.pick(NOBODY))]],
    [3, () => ["KILL", ...kill(draw)]],
    [1, () => ["KILL", "1.2.3.4:5"]],
    [1, () => ["NO-EVICT", onOff()]],
    [1, () => ["REPLY", draw.pick(["on", "ON", "perhaps"])]],
    [1, () => ["PAUSE", draw.pick(["0", "-1", "x", "1.5", "9223372036854775808"]), draw.pick(["ALL", "write", "foo"])]],
    [1, () => (draw.chance(10) ? ["PAUSE", draw.pick(["1", "5"]), draw.pick(["ALL", "write"])] : ["UNPAUSE"])],
    [1, () => ["UNPAUSE"]],
    [2, () => ["UNBLOCK", draw.pick(NOBODY), ...draw.pick([[], ["TIMEOUT"], ["error"], ["foo"], ["a", "b"]])]],
    [1, () => [draw.pick(["FOO", "MAINT_NOTIFICATIONS", ""]), "x"]],
    [1, () => []],
  ]);
}

function command(draw: Draw): string[] {
  return draw.weighted<string[]>([
    [3, () => ["PING", ...draw.times(draw.pick([0, 0, 1, 1, 2]), () => draw.value())]],
    [2, () => ["ECHO", draw.value()]],
    [3, () => ["SELECT", draw.chance(70) ? String(draw.below(18) - 1) : draw.integer()]],
    [2, () => ["SET", draw.key(), draw.value()]],
    [2, () => ["GET", draw.key()]],
    [1, () => ["RESET"]],
    [2, () => ["AUTH", ...draw.times(draw.below(4), () => draw.pick(["default", "nobody", "x"]))]],
    [4, () => ["HELLO", draw.pick(["2", "3", "2", "3", "1", "4", "x", "9223372036854775808"]), ...helloOptions(draw)]],
    [1, () => ["HELLO"]],
    [12, () => ["CLIENT", ...clientCommand(draw)]],
  ]);
}

/** HELLO's map without the version and the id. */
const sameHello: Agreement = (theirs, ours) => neutralHello(theirs) === neutralHello(ours);

function neutralHello(raw: string): string {
  return raw.replace(/(\r\nversion\r\n)\$\d+\r\n[\d.]+/, "$1").replace(/(\r\nid\r\n):\d+/, "$1");
}

/** Ids are their server's own; a line of CLIENT LIST has values that differ, and newer fields. */
const sameClientReply: Agreement = (theirs, ours) => {
  if (/^:[1-9]\d*\r\n$/.test(theirs)) return /^:[1-9]\d*\r\n$/.test(ours);
  const line = /^([$=])\d+\r\n(?:txt:)?id=\d+ addr=/;
  return line.exec(theirs)?.[1] !== undefined && line.exec(theirs)?.[1] === line.exec(ours)?.[1];
};

/** Spoiling must not turn a kill that hits nobody into one that hits somebody, make a pause long, a reply silent, or two options of one. */
function spoiled(draw: Draw, args: readonly string[]): Command {
  const isSafe = args[0] === "CLIENT" ? !["KILL", "PAUSE", "REPLY"].includes(args[1]!) : args[0] !== "HELLO";
  return isSafe && draw.chance(12) ? spoil(draw, args) : args;
}

function step(draw: Draw): Step {
  return { client: draw.below(2), args: spoiled(draw, command(draw)) };
}

/** True for CLIENT with a subcommand. */
function isClient(args: Command, ...subcommands: readonly string[]): boolean {
  return args[0] === "CLIENT" && subcommands.includes((args[1] ?? "").toUpperCase());
}

export const generator: Generator = {
  family: "connection",
  clients: 2,
  draw: step,
  agree: { HELLO: sameHello, CLIENT: sameClientReply },
  absent: {
    "CLIENT SETINFO": "since 7.2",
    "CLIENT NO-TOUCH": "since 7.2",
    "CLIENT KILL MAXAGE": "since 7.4",
    "CLIENT CAPA": "of Valkey alone",
    "CLIENT TRACKING": "with client-side caching",
  },
  known: [
    {
      reason: "ID takes several numbers, and LIST takes any filters, as in Valkey 9",
      matches: (args, theirs, ours) =>
        isClient(args, "KILL", "LIST") && theirs === "-ERR syntax error\r\n" && /^[:$=]|^-ERR/.test(ours),
    },
  ],
};
