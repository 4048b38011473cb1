/**
 * Work that is done for practice, so that code is there and compiled before anybody needs it: the loading of commands (cli/server/first-rest.ts), their rehearsals
 * (cli/server/command-rehearsal.ts), of traffic (cli/server/traffic-rehearsal.ts) and of snapshots (persistence/rdb/rehearsal.ts). It must not be noticed, so it is done in short turns, which are a share
 * of the time.
 */

import { processorsAreShort } from "../base/machine-load.ts";
import { Request } from "../resp/request.ts";
import type { ReplyWriter } from "../resp/writer.ts";
import { Client } from "./client/client.ts";
import { NULL_LINK } from "./client/null-link.ts";
import type { Engine } from "./engine.ts";
import { HandlerContext } from "./handler-context.ts";
import { ServerGate } from "./observer.ts";

/** Microseconds of a turn. One takes longer when its first step does. */
const TURN_US = 500;
/**
 * The share of the time that turns take: when nobody asks for anything, when somebody does or the processors are wanted elsewhere, and when commands come at more than a rate, in commands a
 * millisecond. A turn makes every client wait that has sent a command, so of many clients it would slow down more commands than its share: with 50 of them, at
 * a share of 0.03, one in thirty, and of a fresh server's single SETs the slowest hundredth took 1.2 to 1.6 ms instead of 0.9 to 1.3.
 */
const IDLE_SHARE = 0.3;
const SERVING_SHARE = 0.03;
const BUSY_SHARE = 0.002;
const BUSY_COMMANDS_PER_MS = 2;

/** The share of the time that practice may have of a server that executed so many commands in the last `us` microseconds, on a machine short of processors or not. */
export function shareOfTime(commands: number, us: number, short: boolean): number {
  if (commands === 0) return short ? SERVING_SHARE : IDLE_SHARE;
  return commands * 1000 > BUSY_COMMANDS_PER_MS * us ? BUSY_SHARE : SERVING_SHARE;
}

/** Calls `step` in turns, the first one now, until it says that there is no more to do. Nothing is done while a data set is loaded, or while `mayWork` says no. */
export function practise(engine: Engine, step: () => boolean, mayWork: () => boolean = () => true): void {
  const { clock, stats } = engine;
  let commandsSeen = stats.commandsProcessed;
  let seenUs = clock.monotonicUs();
  const turn = (): void => {
    const startUs = clock.threadUs();
    let more = true;
    if ((engine.gate & ServerGate.Loading) === 0 && mayWork()) {
      do more = step();
      while (more && clock.threadUs() - startUs < TURN_US);
    }
    if (!more) return;
    const nowUs = clock.monotonicUs();
    const share = shareOfTime(stats.commandsProcessed - commandsSeen, nowUs - seenUs, processorsAreShort());
    commandsSeen = stats.commandsProcessed;
    seenUs = nowUs;
    setTimeout(turn, Math.max(TURN_US, clock.threadUs() - startUs) / share / 1000);
  };
  turn();
}

/** What a handler sees that is called for practice: a client whom nobody knows. */
export function practiceContext(engine: Engine, reply: ReplyWriter): HandlerContext {
  const client = new Client(-1, NULL_LINK, engine.keyspace.databases[0], 0);
  return new HandlerContext(engine, client, engine.commands.own[0], reply, new Request());
}
