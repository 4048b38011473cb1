/**
 * Commands for practice. Code that has never run is read, interpreted and compiled at its first use, which makes the first commands of a kind ten to fifty times
 * as slow as those that follow: ten HSETs of twenty fields took 20 ms of a server that was idle. So when a server has come up, the commands that
 * clients use most are run on a database of their own, a few at a time and as long as nobody wants the time.
 *
 * Only handlers run, not the engine around them: nothing is counted, delivered, propagated or logged. Invariant: a lesson is over before anybody else has a
 * turn; its database is empty and gone then, and the statistics of the keyspace are what they were.
 */

import { latin1Bytes } from "../../base/bytes.ts";
import { Client } from "../../engine/client/client.ts";
import { NULL_LINK } from "../../engine/client/null-link.ts";
import type { Engine } from "../../engine/engine.ts";
import { HandlerContext } from "../../engine/handler-context.ts";
import { ServerGate } from "../../engine/observer.ts";
import type { CommandSpec } from "../../engine/spec/spec.ts";
import { Database } from "../../keyspace/database.ts";
import { freeContent } from "../../keyspace/lazy-free.ts";
import { Request } from "../../resp/request.ts";
import { ReplyWriter } from "../../resp/writer.ts";
import { LESSONS } from "./command-lessons.ts";

/** How often each lesson is taken. More would cost the compiler more than it gains anybody. */
const ROUNDS = 8;
/** A server that is started for a moment only, as tests do, has better things to do. */
const DELAY_MS = 250;
/** Microseconds of a turn, and the share of the time that turns take: while clients are served, and otherwise. */
const TURN_US = 500;
const BUSY_SHARE = 0.03;
const IDLE_SHARE = 0.3;
/** About as many pages of the arena were used, a little of each: they go back to the system at the end, and not one by one later. */
const USED_PAGES = 64;

/** A command of a lesson. */
interface Step {
  readonly spec: CommandSpec;
  readonly request: Request;
}

export class CommandRehearsal {
  readonly #engine: Engine;
  readonly #cx: HandlerContext;
  readonly #reply = new ReplyWriter();
  /** The lessons that were taken once. */
  readonly #prepared: (readonly Step[])[] = [];
  #lesson = 0;
  #round = 0;
  #commandsSeen: number;

  constructor(engine: Engine) {
    this.#engine = engine;
    const client = new Client(-1, NULL_LINK, engine.keyspace.databases[0], 0);
    this.#cx = new HandlerContext(engine, client, engine.commands.own[0], this.#reply, new Request());
    this.#commandsSeen = engine.stats.commandsProcessed;
  }

  /** All lessons have been taken often enough. */
  get isOver(): boolean {
    return this.#round === ROUNDS;
  }

  /** Takes all lessons, in turns of its own, a little later. */
  begin(): void {
    setTimeout(() => this.#turn(), DELAY_MS);
  }

  #turn(): void {
    const { clock, stats, keyspace, gate } = this.#engine;
    const startUs = clock.threadUs();
    // What a snapshot has to know of, and memory that a data set is coming into, are for commands in earnest.
    if (keyspace.snapshot === null && (gate & ServerGate.Loading) === 0) {
      do this.takeLesson();
      while (!this.isOver && clock.threadUs() - startUs < TURN_US);
    }
    if (this.isOver) {
      keyspace.arena.purge(0, USED_PAGES);
      return;
    }
    const share = stats.commandsProcessed === this.#commandsSeen ? IDLE_SHARE : BUSY_SHARE;
    this.#commandsSeen = stats.commandsProcessed;
    setTimeout(() => this.#turn(), Math.max(TURN_US, clock.threadUs() - startUs) / share / 1000);
  }

  /** Takes the next lesson, whole. */
  takeLesson(): void {
    this.#prepared[this.#lesson] ??= LESSONS[this.#lesson].map((command) => this.#prepare(command));
    this.#run(this.#prepared[this.#lesson]);
    this.#lesson = (this.#lesson + 1) % LESSONS.length;
    if (this.#lesson === 0) this.#round++;
  }

  #prepare(command: string): Step {
    const words = command.split(" ");
    const request = Request.of(words.map(latin1Bytes));
    // It is used again: nothing may be adopted.
    request.owned = false;
    return { request, spec: this.#engine.commands.lookupOriginal(words[0]) as CommandSpec };
  }

  #run(steps: readonly Step[]): void {
    const { keyspace } = this.#engine;
    const { hits, misses } = keyspace;
    const db = new Database(keyspace, 0);
    this.#cx.db = db;
    try {
      for (const step of steps) this.#handle(step);
    } finally {
      db.hashExpiry.clear(true);
      freeContent(keyspace.arena, db);
      // Lists that grow go through forty sizes of blocks.
      keyspace.arena.releaseEmptyPages();
      keyspace.hits = hits;
      keyspace.misses = misses;
    }
  }

  #handle({ spec, request }: Step): void {
    const cx = this.#cx;
    cx.load(request);
    cx.spec = spec;
    cx.nowMs = this.#engine.keyspace.nowMs;
    cx.dirty = 0;
    cx.effects.count = 0;
    (spec.run as (cx: HandlerContext) => void)(cx);
    cx.replacement = null;
    cx.forcedTargets = 0;
    this.#reply.clear();
  }
}
