// What a command does besides answering, on a real redis-server and on ours: keyspace notifications in their order, how far rdb_changes_since_last_save
// moves, and what goes to the append-only file.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Prng } from "../../src/base/prng.ts";
import { testSeed } from "../base/seeded.ts";
import { encodeCommand, type RespClient } from "../support/client.ts";
import { describeOracle, startOracle } from "../support/oracle.ts";
import type { RunningServer } from "../support/process.ts";
import { parseReply } from "../support/reply.ts";
import { startServer } from "../support/server.ts";
import { DATA_FAMILIES } from "./data-families.ts";
import { Draw } from "./draw.ts";
import type { Generator, Step } from "./generator.ts";

const ARGUMENTS = [
  ...["--appendonly", "yes", "--appendfsync", "no", "--auto-aof-rewrite-percentage", "0"],
  ...["--notify-keyspace-events", "KEA", "--enable-debug-command", "yes"],
];
const COMMANDS = 250;
const FENCE = "fence";
/** By so much times may differ that each server took from its own clock, ms. */
const CLOCKS_MS = 5000;
/** Numbers above this are times in milliseconds, or scores that a double does not hold: one server spells those as integers, the other as doubles. */
const LARGE = 1e12;

/** Commands whose effects are other ones since 7.2: consumers are made by whoever names them, and what a group has read is a fact of its own. */
const CHANGED_SINCE = /^(?:XREADGROUP|XCLAIM|XAUTOCLAIM)$/i;

/** What 7.0 writes for MINID when it has removed all entries. */
const LAST_ID = "18446744073709551615-18446744073709551615";

/** SET to a time that is past makes no key here, as in Valkey; in Redis it is there until somebody looks. */
function isPastSet({ args }: Step): boolean {
  const isPast = (unit: string, time: string | undefined): boolean =>
    (/^EXAT$/i.test(unit) && Number(time) < 1e9) || (/^PXAT$/i.test(unit) && Number(time) < 1e12);
  return args[0]!.toUpperCase() === "SET" && args.some((arg, i) => isPast(arg, args[i + 1]));
}

/** What one command has done. */
interface Effects {
  readonly events: readonly string[];
  readonly changes: number;
  readonly logged: readonly string[][];
}

/** A server, the connections of a run to it, and what has been seen of its effects. */
class Side {
  readonly #clients: RespClient[] = [];
  readonly #listener: RespClient;
  readonly #observer: RespClient;
  readonly #folder: string;
  #changes = 0;
  #logBytes = 0;

  private constructor(server: RunningServer, listener: RespClient, observer: RespClient) {
    this.#folder = join(server.dir, "appendonlydir");
    this.#listener = listener;
    this.#observer = observer;
  }

  static async open(server: RunningServer, clientCount: number): Promise<Side> {
    const side = new Side(server, await server.connect(), await server.connect());
    for (let i = 0; i < clientCount; i++) side.#clients.push(await server.connect());
    await side.#observer.must("FLUSHALL");
    await side.#listener.call("PSUBSCRIBE", "__key*");
    await side.#effects();
    return side;
  }

  close(): void {
    for (const client of [...this.#clients, this.#listener, this.#observer]) client.close();
  }

  async run({ client, args }: Step): Promise<Effects> {
    await this.#clients[client]!.callRaw(...args);
    return await this.#effects();
  }

  async #effects(): Promise<Effects> {
    const [events, changes] = await Promise.all([this.#heard(), this.#changesSince()]);
    return { events, changes, logged: this.#loggedSince() };
  }

  async #heard(): Promise<string[]> {
    this.#listener.write(encodeCommand(["PING", FENCE]));
    const events: string[] = [];
    for (;;) {
      const parts = [...((await this.#listener.readReply()) as Iterable<unknown>)].map(String);
      if (parts[1] === FENCE) return events;
      events.push(parts.slice(2).join(" "));
    }
  }

  async #changesSince(): Promise<number> {
    const info = String(await this.#observer.must("INFO", "persistence"));
    const before = this.#changes;
    this.#changes = Number(/rdb_changes_since_last_save:(\d+)/.exec(info)?.[1]);
    return this.#changes - before;
  }

  #loggedSince(): string[][] {
    const name = readdirSync(this.#folder).find((file) => file.endsWith(".incr.aof"));
    const bytes = readFileSync(join(this.#folder, name!));
    const commands: string[][] = [];
    for (let at = this.#logBytes; at < bytes.length; ) {
      const parsed = parseReply(bytes, at);
      if (parsed === null) throw new Error(`the log ends within a command: ${bytes.toString("latin1", at)}`);
      commands.push(parsed.reply as string[]);
      at = parsed.end;
    }
    this.#logBytes = bytes.length;
    return commands;
  }
}

/**
 * A command as both servers would write it: its name in capitals, without LIMIT (7.0 leaves it where it has become wrong), SET without GET and with its
 * options in capitals, with PXAT without its condition, too (later versions leave what has PXAT as it is).
 */
function comparableCommand([first, ...args]: readonly string[]): string[] {
  const name = first!.toUpperCase();
  if (name === "SET") {
    const options = args.slice(2).map((arg) => arg.toUpperCase());
    const ignored = options.includes("PXAT") ? ["GET", "NX", "XX"] : ["GET"];
    return [name, ...args.slice(0, 2), ...options.filter((option) => !ignored.includes(option))];
  }
  const limit = name === "XADD" || name === "XTRIM" ? args.findIndex((arg) => arg.toUpperCase() === "LIMIT") : -1;
  return [name, ...(limit < 0 ? args : args.toSpliced(limit, 2))];
}

/** The same of several; SELECT stands inside of MULTI, as since 7.2. */
function comparable(commands: readonly string[][]): string[][] {
  const result = commands.map(comparableCommand);
  const [first, second] = result;
  if (first?.[0] === "SELECT" && second?.[0] === "MULTI") result.splice(0, 2, second, first);
  return result;
}

function sameArgument(theirs: string, ours: string): boolean {
  if (theirs === ours || theirs === LAST_ID) return true;
  const areNumbers = /^\d+$/.test(theirs) && /^\d+$/.test(ours);
  return areNumbers && Number(theirs) > LARGE && Math.abs(Number(theirs) - Number(ours)) <= CLOCKS_MS;
}

/**
 * What an approximate MINID has become, without the id: the first entry that is left, and in 7.0 the first one in the first block, which may have been deleted
 * long before.
 */
function withoutMinId(commands: readonly string[][]): string[][] {
  return commands.map((args) => {
    const at = args.findIndex((arg) => arg.toUpperCase() === "MINID");
    return at < 0 ? args : args.toSpliced(at + 2, 1);
  });
}

function sameLog(theirs: readonly string[][], ours: readonly string[][], isApproximate: boolean): boolean {
  let [a, b] = [comparable(theirs), comparable(ours)];
  if (isApproximate) [a, b] = [withoutMinId(a), withoutMinId(b)];
  return (
    a.length === b.length &&
    a.every((args, i) => args.length === b[i]!.length && args.every((arg, n) => sameArgument(arg, b[i]![n]!)))
  );
}

/** BITFIELD that fails to change anything has made the key longer all the same: we tell others, 7.0 does not. */
function isFailedBitfield({ args }: Step, theirs: Effects): boolean {
  return args[0]!.toUpperCase() === "BITFIELD" && theirs.changes === 0;
}

function agree(step: Step, theirs: Effects, ours: Effects): boolean {
  if (theirs.events.join("\n") !== ours.events.join("\n")) return false;
  if (isFailedBitfield(step, theirs)) return true;
  return theirs.changes === ours.changes && sameLog(theirs.logged, ours.logged, step.args.includes("~"));
}

function drawStep(generator: Generator, draw: Draw): Step {
  const drawn = generator.draw(draw);
  return "args" in drawn ? drawn : { client: 0, args: drawn };
}

describeOracle("effects", () => {
  let servers: { readonly theirs: RunningServer; readonly ours: RunningServer };

  beforeAll(async () => {
    const [theirs, ours] = await Promise.all([startOracle(ARGUMENTS), startServer(ARGUMENTS)]);
    servers = { theirs, ours };
  });

  afterAll(async () => {
    await servers.theirs.stop();
    await servers.ours.stop();
  });

  for (const generator of DATA_FAMILIES) {
    test(generator.family, async () => {
      const clientCount = generator.clients ?? 1;
      const [theirs, ours] = [await Side.open(servers.theirs, clientCount), await Side.open(servers.ours, clientCount)];
      const seed = testSeed();
      const draw = new Draw(new Prng(seed));
      const sent: string[] = [];
      for (let i = 0; i < COMMANDS; i++) {
        const step = drawStep(generator, draw);
        if (CHANGED_SINCE.test(step.args[0]!) || isPastSet(step)) continue;
        sent.push(`[${step.client}] ${JSON.stringify(step.args)}`);
        const [a, b] = await Promise.all([theirs.run(step), ours.run(step)]);
        if (!agree(step, a, b))
          expect({ seed, sent: sent.slice(-10), ...b }).toEqual({ seed, sent: sent.slice(-10), ...a });
      }
      theirs.close();
      ours.close();
    }, 120_000);
  }

  test("reading pending entries once more is a change, as it counts their deliveries", async () => {
    const [theirs, ours] = [await Side.open(servers.theirs, 1), await Side.open(servers.ours, 1)];
    const read = ["XREADGROUP", "GROUP", "g", "consumer", "STREAMS", "s"];
    const commands = [
      ["XADD", "s", "1-1", "f", "v"],
      ["XGROUP", "CREATE", "s", "g", "0"],
      [...read, ">"],
      [...read, "0"],
      [...read, "1-1"],
      [...read, ">"],
    ];
    for (const args of commands) {
      const step = { client: 0, args };
      const [a, b] = [await theirs.run(step), await ours.run(step)];
      expect([args, b.changes]).toEqual([args, a.changes]);
    }
    theirs.close();
    ours.close();
  });
});
