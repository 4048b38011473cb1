// Clients that wait, on a real redis-server and on ours: several connections, of which any may be waiting, and what each of them gets after every command of
// one of them. Who is served first, by which key, and by what else than a push; transactions; keys that change their type; clients that are unblocked or go away.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { Prng } from "../../src/base/prng.ts";
import { testSeed } from "../base/seeded.ts";
import { encodeCommand, type RespClient } from "../support/client.ts";
import { describeOracle, startOracle } from "../support/oracle.ts";
import type { RunningServer } from "../support/process.ts";
import { startServer } from "../support/server.ts";
import { Draw } from "./draw.ts";

const CLIENTS = 5;
const KEYS = ["a", "b", "c"];
const COMMANDS = 600;
/** Stands for the id of a connection, whose number follows. */
const ID = "id of ";

/**
 * What a round is about. In 7.0 who waits for several keys is served by the one that became ready first, whatever the others hold; later by the first of its own,
 * unless one before it holds something else. So either a client waits for one key of any type, and several may become ready at once, or for several keys of one type.
 */
type Mode = "transactions" | "lists" | "sorted sets" | "streams";
const MODES: readonly Mode[] = ["transactions", "lists", "sorted sets", "streams"];

type Row = readonly [weight: number, make: (draw: Draw, mode: Mode) => string[]];

const key = (draw: Draw): string => draw.pick(KEYS);
const keys = (draw: Draw, mode: Mode): string[] =>
  draw.times(mode === "transactions" ? 1 : draw.between(1, 3), () => key(draw));
const side = (draw: Draw): string => draw.pick(["LEFT", "RIGHT"]);
const counted = (list: readonly string[]): string[] => [String(list.length), ...list];
const count = (draw: Draw): string[] => draw.pick([[], ["COUNT", "2"], ["COUNT", "10"]]);
const some = (draw: Draw, make: () => string[]): string[] => draw.times(draw.between(1, 3), make).flat();

function readStreams(draw: Draw, mode: Mode): string[] {
  // A stream that is named twice is answered twice since 7.2.
  const streams = [...new Set(keys(draw, mode))];
  const ids = streams.map(() => draw.pick(["$", "0", "5-0", "20-0"]));
  return ["XREAD", ...draw.pick([[], ["COUNT", "1"]]), "BLOCK", "0", "STREAMS", ...streams, ...ids];
}

const LISTS: readonly Row[] = [
  [5, (draw, mode) => ["BLPOP", ...keys(draw, mode), "0"]],
  [4, (draw, mode) => ["BRPOP", ...keys(draw, mode), "0"]],
  [3, (draw, mode) => ["BLMPOP", "0", ...counted(keys(draw, mode)), side(draw), ...count(draw)]],
  [10, (draw) => [draw.pick(["RPUSH", "LPUSH"]), key(draw), ...some(draw, () => [String(draw.below(9))])]],
  [2, (draw) => ["LMOVE", key(draw), key(draw), side(draw), side(draw)]],
  [1, (draw) => ["LINSERT", key(draw), "BEFORE", "1", "x"]],
  [1, (draw) => ["LPOP", key(draw)]],
];

/** Who is served by one key makes another one ready. */
const MOVES: readonly Row[] = [
  [3, (draw) => ["BLMOVE", key(draw), key(draw), side(draw), side(draw), "0"]],
  [2, (draw) => ["BRPOPLPUSH", key(draw), key(draw), "0"]],
];

const SORTED_SETS: readonly Row[] = [
  [3, (draw, mode) => ["BZPOPMIN", ...keys(draw, mode), "0"]],
  [2, (draw, mode) => ["BZPOPMAX", ...keys(draw, mode), "0"]],
  [3, (draw, mode) => ["BZMPOP", "0", ...counted(keys(draw, mode)), draw.pick(["MIN", "MAX"]), ...count(draw)]],
  [7, (draw) => ["ZADD", key(draw), ...some(draw, () => [String(draw.below(9)), draw.pick(["m", "n", "o"])])]],
  [1, (draw) => ["ZINCRBY", key(draw), "1", "m"]],
  [1, (draw) => ["GEOADD", key(draw), "1", "1", "p"]],
];

const STREAMS: readonly Row[] = [
  [4, readStreams],
  [7, (draw) => ["XADD", key(draw), `${draw.between(1, 40)}-*`, "f", "v"]],
];

const ANY_KEY: readonly Row[] = [
  [3, (draw) => ["DEL", ...some(draw, () => [key(draw)])]],
  [2, (draw) => ["RENAME", key(draw), key(draw)]],
  [1, (draw) => ["COPY", key(draw), key(draw)]],
  [1, (draw) => ["PEXPIRE", key(draw), "0"]],
  [1, (draw) => ["MOVE", key(draw), "1"]],
  [1, (draw) => ["SELECT", draw.pick(["0", "0", "1"])]],
  [1, () => ["FLUSHALL"]],
  [2, (draw) => ["CLIENT", "UNBLOCK", `${ID}${draw.below(CLIENTS)}`, ...draw.pick([[], ["TIMEOUT"], ["ERROR"]])]],
];

const TRANSACTIONS: readonly Row[] = [
  [3, () => ["MULTI"]],
  [4, () => ["EXEC"]],
  [1, () => ["DISCARD"]],
  [1, () => ["SWAPDB", "0", "1"]],
  [1, (draw) => ["SET", key(draw), "v", "NX"]],
];

const ROWS: Readonly<Record<Mode, readonly Row[]>> = {
  transactions: [...LISTS, ...MOVES, ...SORTED_SETS, ...STREAMS, ...ANY_KEY, ...TRANSACTIONS],
  lists: [...LISTS, ...ANY_KEY],
  "sorted sets": [...SORTED_SETS, ...ANY_KEY],
  streams: [...STREAMS, ...ANY_KEY],
};

function drawCommand(draw: Draw, mode: Mode): string[] {
  return draw.weighted(ROWS[mode].map(([weight, make]) => [weight, () => make(draw, mode)] as const));
}

/** A server and its connections. */
class Side {
  readonly #server: RunningServer;
  readonly #control: RespClient;
  readonly #clients: RespClient[] = [];
  readonly #ids: string[] = [];

  private constructor(server: RunningServer, control: RespClient) {
    this.#server = server;
    this.#control = control;
  }

  static async open(server: RunningServer): Promise<Side> {
    const side = new Side(server, await server.connect());
    await side.#control.must("FLUSHALL");
    for (let i = 0; i < CLIENTS; i++) await side.connect(i);
    return side;
  }

  close(): void {
    for (const client of [...this.#clients, this.#control]) client.close();
  }

  /** Connects once more; the connection of before is closed. */
  async connect(i: number): Promise<void> {
    this.#clients[i]?.close();
    this.#clients[i] = await this.#server.connect();
    this.#ids[i] = String(await this.#clients[i]!.must("CLIENT", "ID"));
  }

  send(i: number, args: readonly string[]): void {
    const named = args.map((arg) => (arg.startsWith(ID) ? this.#ids[Number(arg.slice(ID.length))]! : arg));
    this.#clients[i]!.write(encodeCommand(named));
  }

  /**
   * What the connections have got, and which of them wait, once the server is idle. After the first PONG it has executed what was sent before, after the second it
   * has written all replies, and after the third answer they have been read.
   */
  async settled(): Promise<{ readonly got: string[]; readonly waits: boolean[] }> {
    for (let i = 0; i < 2; i++) await this.#control.must("PING");
    const list = String(await this.#control.must("CLIENT", "LIST"));
    const got: string[] = [];
    for (const [i, client] of this.#clients.entries())
      while (client.unread.length > 0) got.push(`${i}: ${await client.readRaw()}`);
    return { got, waits: this.#ids.map((id) => new RegExp(`^id=${id} .* flags=\\S*b`, "m").test(list)) };
  }
}

describeOracle("clients that wait", () => {
  let servers: { readonly theirs: RunningServer; readonly ours: RunningServer };

  beforeAll(async () => {
    const [theirs, ours] = await Promise.all([startOracle(), startServer()]);
    servers = { theirs, ours };
  });

  afterAll(async () => {
    await servers?.theirs.stop();
    await servers?.ours.stop();
  });

  for (const mode of MODES) {
    test(mode, async () => {
      const seed = testSeed();
      const draw = new Draw(new Prng(seed));
      const [theirs, ours] = [await Side.open(servers.theirs), await Side.open(servers.ours)];
      const sent: string[] = [];
      let waits: readonly boolean[] = [];
      let served = 0;
      while (sent.length < COMMANDS) {
        const i = draw.below(CLIENTS);
        if (waits[i] && draw.chance(90)) continue;
        if (waits[i]) {
          sent.push(`${i} goes away`);
          await Promise.all([theirs.connect(i), ours.connect(i)]);
        } else {
          const args = drawCommand(draw, mode);
          sent.push(`${i} ${args.join(" ")}`);
          theirs.send(i, args);
          ours.send(i, args);
        }
        const [a, b] = await Promise.all([theirs.settled(), ours.settled()]);
        expect({ seed, sent: sent.slice(-30), ...b }).toEqual({ seed, sent: sent.slice(-30), ...a });
        if (a.got.length > 1) served++;
        waits = a.waits;
      }
      expect(served).toBeGreaterThan(5);
      theirs.close();
      ours.close();
    }, 120_000);
  }
});
