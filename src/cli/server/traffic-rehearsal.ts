/**
 * Traffic for practice. A fresh server's first fifty thousand commands run in code that has yet to be compiled, while the compiler takes a processor
 * from the clients. So when a server has come up, a second one is made within the process, with a data set, settings and statistics of its own, and clients
 * send it what clients send: single commands and pipelines, over sockets of their own (net/loopback.ts). It is forgotten afterwards.
 *
 * Measured with 50 clients on a machine of two processors: of a fresh server's first 60,000 single SETs the slowest hundredth took 1.1 to 1.5 ms instead
 * of 2.0 to 2.5 (warm: 0.9). It costs 0.2 to 0.4 s of the server's processor time and 0.3 to 0.6 s of the compiler's.
 *
 * What single commands do at their first use is rehearsed otherwise (command-rehearsal.ts). This is about what all commands have in common: sockets, requests,
 * replies, the engine, the table of keys.
 */
import type { Socket } from "bun";
import { Arena } from "../../arena/arena.ts";
import { latin1Bytes } from "../../base/bytes.ts";
import { SystemMemory } from "../../base/os-memory.ts";
import { Prng } from "../../base/prng.ts";
import { COMMANDS } from "../../commands/index.ts";
import { Config } from "../../config/config.ts";
import { Engine } from "../../engine/engine.ts";
import { practise } from "../../engine/practice.ts";
import { commandBytes } from "../../engine/propagation.ts";
import { registerEngineSettings } from "../../engine/settings.ts";
import { Keyspace } from "../../keyspace/keyspace.ts";
import type { Connection } from "../../net/connection.ts";
import { Loopback } from "../../net/loopback.ts";
import { Server } from "../../net/server.ts";

/** Clients; each has two descriptors of the process. */
export const CLIENTS = 12;
/** Turns of the event loop, in each of which every client sends something. The slowest hundredth took 1.3 to 2.0 ms with 1,000, 1.0 to 1.5 with 2,000, no less with 3,000. */
export const TURNS = 1500;
/** Pages of the arena, 1 MiB each, of which little is used: more than there are sizes of blocks, so that no gigabyte is reserved. */
export const ARENA_PAGES = 128;

/** Inputs, as often as they come among each other: a command, or several with a semicolon between two. Each # is a number of its own. */
export const TRAFFIC: readonly string[] = [
  "set key:# value:#:#",
  "set key:# value:#:#",
  "set key:# value:#:#",
  "set key:# value:#:#",
  "get key:#",
  "get key:#",
  "get key:#",
  "get key:#",
  "incr counter:#",
  "exists key:#",
  "del key:#",
  "expire key:# 1000",
  "mset key:# value:# key:# value:#",
  "hset hash field:# value:#",
  "hget hash field:#",
  "lpush list value:#",
  "rpop list",
  "sadd set member:#",
  "sismember set member:#",
  "zadd zset # member:#",
  "zscore zset member:#",
  "multi; set key:# value:#; incr counter:#; exec",
  "ping",
];
/** One input in so many is a pipeline. */
const PIPELINE_EVERY = 16;
const PIPELINE_LENGTH = 16;

const DIGITS = 6;
/** How many numbers there are: so many that the table of keys grows all the time. */
const NUMBERS = 50_000;
const ZERO = 0x30;

/** A request, or several, with places for numbers: where their first digits stand. */
interface Template {
  readonly bytes: Uint8Array;
  readonly places: readonly number[];
}

/** The template of an input that is sent `count` times in a row. */
function template(input: string, count: number): Template {
  const commands = input.replaceAll("#", "#".repeat(DIGITS)).split("; ");
  const once = Buffer.concat(commands.map((command) => commandBytes(command.split(" "))));
  const text = once.toString("latin1").repeat(count);
  const places = Array.from(text.matchAll(new RegExp(`#{${DIGITS}}`, "g")), ({ index }) => index);
  return { bytes: latin1Bytes(text), places };
}

export class TrafficRehearsal {
  /** The server that practises in its idle time. */
  readonly #engine: Engine;
  /** The server that is practised on. */
  readonly #server: Server;
  readonly #receive: (socket: Socket<Connection>, input: Uint8Array) => void;
  readonly #random = new Prng(1);
  readonly #single = TRAFFIC.map((input) => template(input, 1));
  readonly #pipelines = TRAFFIC.map((input) => template(input, PIPELINE_LENGTH));
  #loopback: Loopback | null = null;
  #inputs = 0;
  #turns = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
    const { clock, config } = engine;
    const keyspace = new Keyspace(new Arena(1, 2, new SystemMemory(), ARENA_PAGES), 1, new Prng(2));
    const practised = new Engine(new Config({ personality: config.personality }), keyspace, clock, COMMANDS);
    registerEngineSettings(practised);
    keyspace.open();
    this.#server = new Server(practised);
    this.#receive = this.#server.handlerOf("tcp").data as (socket: Socket<Connection>, input: Uint8Array) => void;
  }

  /** The engine that is practised on. */
  get practised(): Engine {
    return this.#server.engine;
  }

  get isOver(): boolean {
    return this.#turns === TURNS;
  }

  /** Opens the connections. Throws when there are none to be had. */
  async open(): Promise<void> {
    this.#loopback = await Loopback.open(this.#server.handlerOf("tcp"), CLIENTS);
  }

  /** Closes the connections and gives the memory of the data set back, which is not to be used any more. */
  close(): void {
    this.#loopback?.close();
    const { arena } = this.practised.keyspace;
    arena.reset();
    arena.purge();
  }

  /** Every client sends something, and gets its replies. */
  takeTurn(): void {
    for (const socket of (this.#loopback as Loopback).sockets) this.#receive(socket, this.#nextInput());
    this.#server.finishTurn();
    this.#turns++;
  }

  #nextInput(): Uint8Array {
    const pick = this.#random.uint32() % TRAFFIC.length;
    const kind = ++this.#inputs % PIPELINE_EVERY === 0 ? this.#pipelines : this.#single;
    const { bytes, places } = kind[pick];
    const input = bytes.slice();
    for (const place of places) {
      let number = this.#random.uint32() % NUMBERS;
      for (let at = place + DIGITS - 1; at >= place; at--) {
        input[at] = ZERO + (number % 10);
        number = (number / 10) | 0;
      }
    }
    return input;
  }

  /** Takes all turns, a few at a time (engine/practice.ts). */
  async begin(): Promise<void> {
    try {
      await this.open();
    } catch {
      // A host without loopback, or without descriptors: the first clients will have to practise.
      return;
    }
    practise(this.#engine, () => {
      this.takeTurn();
      if (!this.isOver) return true;
      this.close();
      return false;
    });
  }
}
