/**
 * What a start has put off, done when the server is up: in steps of a millisecond or two, most of them, so that clients who are there already do not wait for
 * all of it. What a first command on keys needs comes first.
 */
import { compileFromHereOn } from "../../base/compilation.ts";
import { askForHugePages } from "../../base/heap-pages.ts";
import type { Engine } from "../../engine/engine.ts";
import { practise } from "../../engine/practice.ts";
import { FIRST_WORDS } from "./command-lessons.ts";
import { CommandRehearsal } from "./command-rehearsal.ts";
import { CompilerThreads } from "./compiler-threads.ts";
import { showTitle } from "./server-process-settings.ts";
import { TrafficRehearsal } from "./traffic-rehearsal.ts";

/** The pause for others after a step. */
const PAUSE_MS = 1;

/** Commands whose families come first. */
const USED_MOST = ["del", "flushall", "dbsize", "hset", "lpush", "sadd", "zadd", "multi", "publish", "xadd"];

/** What is put off. */
export interface PutOff {
  readonly engine: Engine;
  /** The name that the program was started under. */
  readonly argv0: string;
  /** The data set's part of it (data-set-start.ts). */
  readonly dataSetSteps: readonly (() => void)[];
}

function* steps({ engine, argv0, dataSetSteps }: PutOff): Generator<void, void, void> {
  engine.keyspace.open();
  yield;
  engine.commands.lookupOriginal("set");
  yield;
  const rehearsal = new CommandRehearsal(engine);
  for (const command of FIRST_WORDS) {
    rehearsal.rehearse(command);
    yield;
  }
  for (const command of USED_MOST) {
    engine.commands.lookupOriginal(command);
    yield;
  }
  for (const step of dataSetSteps) {
    step();
    yield;
  }
  showTitle(engine.config, argv0);
  yield;
  engine.log.started();
  yield;
  askForHugePages();
  yield;
  compileFromHereOn();
  engine.keyspace.arena.reserve();
  yield;
  new CompilerThreads().watch();
  practise(engine, () => loadCommands(engine, rehearsal));
}

/**
 * Loads a family of commands; when there is none left, commands are rehearsed and then traffic, so that nobody will wait for the compiler either. False then.
 * Who asks for a command gets its family at once: a busy server takes its time over the others, two to four milliseconds each.
 */
function loadCommands(engine: Engine, rehearsal: CommandRehearsal): boolean {
  if (engine.commands.loadNext()) return true;
  rehearsal.begin(() => void new TrafficRehearsal(engine).begin());
  return false;
}

/** Does the first step now and the others later. */
export function beginRest(putOff: PutOff): void {
  const left = steps(putOff);
  const proceed = (): void => {
    if (left.next().done !== true) setTimeout(proceed, PAUSE_MS);
  };
  proceed();
}
