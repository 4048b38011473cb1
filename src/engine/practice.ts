/**
 * Work that is done for practice, so that code is compiled before anybody needs it: the rehearsals of commands (cli/server/command-rehearsal.ts) and of snapshots
 * (persistence/rdb/rehearsal.ts). It must not be noticed, so it is done in short turns, which are a share of the time.
 */

import { Request } from "../resp/request.ts";
import type { ReplyWriter } from "../resp/writer.ts";
import { Client } from "./client/client.ts";
import { NULL_LINK } from "./client/null-link.ts";
import type { Engine } from "./engine.ts";
import { HandlerContext } from "./handler-context.ts";
import { ServerGate } from "./observer.ts";

/** Microseconds of a turn, and the share of the time that turns take: while clients are served, and otherwise. */
const TURN_US = 500;
const BUSY_SHARE = 0.03;
const IDLE_SHARE = 0.3;

/** Calls `step` in turns, the first one now, until it says that there is no more to do. Nothing is done while a data set is loaded, or while `mayWork` says no. */
export function practise(engine: Engine, step: () => boolean, mayWork: () => boolean = () => true): void {
  const { clock, stats } = engine;
  let commandsSeen = stats.commandsProcessed;
  const turn = (): void => {
    const startUs = clock.threadUs();
    let more = true;
    if ((engine.gate & ServerGate.Loading) === 0 && mayWork()) {
      do more = step();
      while (more && clock.threadUs() - startUs < TURN_US);
    }
    if (!more) return;
    const share = stats.commandsProcessed === commandsSeen ? IDLE_SHARE : BUSY_SHARE;
    commandsSeen = stats.commandsProcessed;
    setTimeout(turn, Math.max(TURN_US, clock.threadUs() - startUs) / share / 1000);
  };
  turn();
}

/** What a handler sees that is called for practice: a client whom nobody knows. */
export function practiceContext(engine: Engine, reply: ReplyWriter): HandlerContext {
  const client = new Client(-1, NULL_LINK, engine.keyspace.databases[0], 0);
  return new HandlerContext(engine, client, engine.commands.own[0], reply, new Request());
}
