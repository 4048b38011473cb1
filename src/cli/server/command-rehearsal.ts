/**
 * Commands for practice. Code that has never run is read, interpreted and compiled at its first use, which makes the first commands of a kind ten to fifty times
 * as slow as those that follow: ten HSETs of twenty fields took 20 ms of a server that was idle. So when a server has come up, the commands that
 * clients use most are run on a database of their own, a few at a time (engine/practice.ts).
 *
 * Only handlers run, not the engine around them: nothing is counted, delivered, propagated or logged. Invariant: a lesson is over before anybody else has a
 * turn; its database is empty and gone then, and the statistics of the keyspace are what they were.
 */

import { latin1Bytes } from "../../base/bytes.ts";
import type { Engine } from "../../engine/engine.ts";
import type { HandlerContext } from "../../engine/handler-context.ts";
import { practiceContext, practise } from "../../engine/practice.ts";
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

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#cx = practiceContext(engine, this.#reply);
  }

  /** All lessons have been taken often enough. */
  get isOver(): boolean {
    return this.#round === ROUNDS;
  }

  /** Runs a command that is a lesson by itself. */
  rehearse(command: string): void {
    this.#run([this.#prepare(command)]);
  }

  /** Takes all lessons, in turns of its own, a little later; calls `over` then. */
  begin(over: () => void): void {
    const { keyspace } = this.#engine;
    // What a snapshot has to know of is for commands in earnest.
    const mayWork = (): boolean => keyspace.snapshot === null;
    setTimeout(() => practise(this.#engine, () => this.#proceed(over), mayWork), DELAY_MS);
  }

  /** Takes a lesson; true when there is more. */
  #proceed(over: () => void): boolean {
    this.takeLesson();
    if (!this.isOver) return true;
    this.#engine.keyspace.arena.purge(0, USED_PAGES);
    over();
    return false;
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
    const spec = this.#engine.commands.lookupOriginal(words[0]) as CommandSpec;
    return { request, spec: spec.subcommands?.get(words[1]) ?? spec };
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
