/**
 * An engine in the test's own process: no sockets, a manual clock, a seeded generator. A TestClient sends commands straight to execute() and
 * reads the reply as text (as redis-cli prints it without a terminal's quotes) or as a parsed value.
 */
import type { Arena } from "../../src/arena/arena.ts";
import { ManualClock } from "../../src/base/clock.ts";
import { Prng } from "../../src/base/prng.ts";
import { COMMANDS } from "../../src/commands/index.ts";
import { Config } from "../../src/config/config.ts";
import { PERSONALITIES, type PersonalityName } from "../../src/config/personality.ts";
import type { Client } from "../../src/engine/client/client.ts";
import { Engine } from "../../src/engine/engine.ts";
import type { ClientLink } from "../../src/engine/ports.ts";
import { registerEngineSettings } from "../../src/engine/settings.ts";
import type { CommandLiteral } from "../../src/engine/spec/spec.ts";
import { Keyspace } from "../../src/keyspace/keyspace.ts";
import { Request } from "../../src/resp/request.ts";
import { returnArena, takeArena } from "./arena.ts";
import { formatReply, parseReplies, type Reply } from "./transcript-reply.ts";

/** Where manual clocks start: a fixed day. */
export const START_MS = 1_700_000_000_000;

export interface TestServer {
  engine: Engine;
  clock: ManualClock;
  /** A new connection. */
  connect(): TestClient;
  /** Moves both clocks on. */
  advance(ms: number): void;
}

/** Hands the arenas of engines on that nobody uses any more. */
const engineCollected = new FinalizationRegistry<Arena>((arena) => returnArena(arena));

/** Makes an engine with all commands, and further ones that only a test has. */
export function testServer(
  options: { personality?: PersonalityName; seed?: number; commands?: readonly CommandLiteral[] } = {},
): TestServer {
  const clock = new ManualClock(START_MS);
  const arena = takeArena();
  const keyspace = new Keyspace(arena, 16, new Prng(options.seed ?? 1));
  const config = new Config({ personality: PERSONALITIES[options.personality ?? "redis"] });
  const engine = new Engine(config, keyspace, clock, [...COMMANDS, ...(options.commands ?? [])]);
  registerEngineSettings(engine);
  // Commands of a family make databases be there when they are loaded; a test's own have none.
  if (options.commands !== undefined) keyspace.open();
  engineCollected.register(engine, arena);
  const server: TestServer = {
    engine,
    clock,
    connect: () => new TestClient(engine),
    advance(ms) {
      clock.advanceMs(ms);
      engine.tick();
      runResumed(engine);
    },
  };
  return server;
}

/** A client whose output is collected. */
export class TestClient implements ClientLink {
  readonly address = "127.0.0.1:1";
  readonly localAddress = "127.0.0.1:6379";
  readonly fd = -1;
  readonly isUnix = false;
  readonly isTls = false;
  readonly client: Client;
  closed = false;
  readonly #engine: Engine;
  #pushed: Uint8Array[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
    this.client = engine.connect(this);
  }

  /** Runs one command; its reply bytes. */
  raw(...args: (string | Uint8Array | number)[]): Uint8Array {
    const bytes = args.map((a) => (a instanceof Uint8Array ? a : new TextEncoder().encode(String(a))));
    this.#engine.reply.clear();
    this.#engine.startTurn();
    this.#engine.execute(this.client, Request.of(bytes));
    const reply = this.#engine.reply.buf.slice(0, this.#engine.reply.pos);
    this.#engine.reply.clear();
    runResumed(this.#engine);
    return reply;
  }

  /** Runs the command that a pause postponed; its reply is among pushed(). */
  runPostponed(): void {
    const { pause, reply } = this.#engine;
    pause.runPostponed(this.client);
    if (reply.pos > 0) this.append(reply.buf, 0, reply.pos);
    reply.clear();
  }

  /** Runs one command; its reply parsed (the first reply, when it wrote several). */
  send(...args: (string | Uint8Array | number)[]): Reply {
    return parseReplies(this.raw(...args))[0];
  }

  /** Runs one command given as a line split at spaces (double quotes group, with \xHH escapes); its reply as text. */
  line(text: string): string {
    const args = [...text.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map((m) =>
      m[1] !== undefined ? unescapeQuoted(m[1]) : Buffer.from(m[2], "utf8"),
    );
    return parseReplies(this.raw(...args))
      .map((reply) => formatReply(reply))
      .join("\n");
  }

  /** Output that arrived outside this client's own replies, parsed; and forgets it. */
  pushed(): Reply[] {
    const all = Buffer.concat(this.#pushed);
    this.#pushed = [];
    return parseReplies(all);
  }

  append(bytes: Uint8Array, offset: number, length: number): void {
    this.#pushed.push(bytes.slice(offset, offset + length));
  }

  delayPackets(): void {}
  hold(): void {}

  sendAhead(bytes: Uint8Array, offset: number, length: number): number {
    this.append(bytes, offset, length);
    return length;
  }

  letGo(): void {}

  attachStream(): void {}

  streamGrew(): void {}

  closeAfterFlush(): void {
    this.close();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#engine.disconnect(this.client);
  }

  resume(): void {
    resumedOf(this.#engine).push(this);
  }

  pendingOutput(): number {
    return 0;
  }

  firstBufferBytes(): number {
    return 0;
  }

  queuedReplies(): number {
    return 0;
  }

  queuedReplyBytes(): number {
    return 0;
  }

  replyBufferBytes(): number {
    return 0;
  }

  replyBufferPeak(): number {
    return 0;
  }

  memoryBytes(): number {
    return 0;
  }

  inputBytes(): number {
    return 0;
  }

  inputFreeBytes(): number {
    return 0;
  }
}

/** Clients that may go on, by engine: they do when the command that runs has returned. */
const resumed = new WeakMap<Engine, TestClient[]>();

function resumedOf(engine: Engine): TestClient[] {
  let clients = resumed.get(engine);
  if (clients === undefined) {
    clients = [];
    resumed.set(engine, clients);
  }
  return clients;
}

function runResumed(engine: Engine): void {
  const clients = resumedOf(engine);
  for (let client = clients.shift(); client !== undefined; client = clients.shift()) client.runPostponed();
}

function unescapeQuoted(text: string): Uint8Array {
  const out: number[] = [];
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== "\\") {
      out.push(...Buffer.from(text[i], "utf8"));
    } else if (text[i + 1] === "x") {
      out.push(Number.parseInt(text.slice(i + 2, i + 4), 16));
      i += 3;
    } else {
      i++;
      out.push(({ n: 10, r: 13, t: 9 } as Record<string, number>)[text[i]] ?? text.charCodeAt(i));
    }
  }
  return Uint8Array.from(out);
}

/**
 * Plays a dialogue and throws with both sides when it differs. Lines: `> COMMAND ...` runs a command on client 1 (`2> ...` on client 2, and so on); `~ advance 10s` (or ms)
 * moves time; what follows a command, up to the next one, is its expected reply as formatReply prints it. `<` in front of a line marks expected pushes of that client.
 */
export function transcript(text: string, server: TestServer = testServer()): void {
  const clients = new Map<string, TestClient>();
  const lines = text
    .split("\n")
    .map((l) => l.trim())
    .filter((l) => l.length > 0);
  const actual: string[] = [];
  for (const line of lines) {
    const command = /^(\d*)> (.*)$/.exec(line);
    const advance = /^~ advance (\d+)(ms|s)$/.exec(line);
    const pushes = /^(\d*)< /.exec(line);
    if (command !== null) {
      const client = clientOf(clients, command[1], server);
      actual.push(
        line,
        ...client
          .line(command[2])
          .split("\n")
          .map((l) => l.trim()),
      );
    } else if (advance !== null) {
      server.advance(Number(advance[1]) * (advance[2] === "s" ? 1000 : 1));
      actual.push(line);
    } else if (pushes !== null) {
      const got = clientOf(clients, pushes[1], server).pushed();
      for (const reply of got)
        actual.push(`${pushes[1]}< ${formatReply(reply).replaceAll("\n", " ").replace(/\s+/g, " ")}`);
    }
  }
  const want = lines.join("\n");
  const have = actual.join("\n");
  if (want !== have) throw new Error(`transcript differs\n--- expected\n${want}\n--- actual\n${have}`);
}

function clientOf(clients: Map<string, TestClient>, name: string, server: TestServer): TestClient {
  const key = name === "" ? "1" : name;
  let client = clients.get(key);
  if (client === undefined) {
    client = server.connect();
    clients.set(key, client);
  }
  return client;
}
