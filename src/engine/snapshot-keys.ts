/**
 * While a snapshot is in progress: the keys of a command that changes values in place are saved, or frozen, before it runs. Where that takes too long, a client's
 * command is postponed until the snapshot has saved the value in slices; meanwhile others are served.
 */
import type { Database } from "../keyspace/database.ts";
import type { Request } from "../resp/request.ts";
import { type Client, ClientFlag, Halt, Origin } from "./client/client.ts";
import { postpone } from "./client/client-pause.ts";
import { halt, release } from "./gates/gates.ts";
import type { HandlerContext } from "./handler-context.ts";
import { keyPositions, noPositions } from "./spec/key-positions.ts";
import { type CommandSpec, Flag, isReplaced } from "./spec/spec.ts";
import { isExec } from "./transactions.ts";

const positions = noPositions();
const CHANGES = Flag.Write | Flag.MayReplicate;

/** Clients that have nobody who would send their command again. */
const IMPATIENT = ClientFlag.Internal | ClientFlag.DenyBlocking | ClientFlag.Primary | ClientFlag.Replica;

/**
 * Lets the snapshot in progress, if there is one, see the keys of the command in `cx` as they are now. True: the command must not run yet; its client is held back until it may. Keys in
 * other databases, keys that a handler finds itself, and those that go or get another value are announced by the database.
 */
export function saveKeysFirst(cx: HandlerContext, spec: CommandSpec): boolean {
  const { client, engine } = cx;
  if (engine.keyspace.snapshot === null) return false;
  const mayWait =
    engine.depth === 0 && client.origin === Origin.Client && !client.has(IMPATIENT) && !engine.blocking.isRetrying;
  if (isExec(spec)) {
    // What EXEC runs is past waiting when its turn comes.
    if (!mayWait || client.has(ClientFlag.DirtyCas | ClientFlag.DirtyExec)) return false;
    return client.queue.some((queued) => saveKeysOf(cx, queued.spec, queued.request, true));
  }
  return saveKeysOf(cx, spec, cx.request, mayWait);
}

function saveKeysOf(cx: HandlerContext, spec: CommandSpec, request: Request, mayWait: boolean): boolean {
  if ((spec.flags & CHANGES) === 0 || !spec.changesInPlace) return false;
  if ((spec.flags & Flag.MovableKeys) === 0 && spec.literal.getKeys === undefined) {
    if (spec.keyStep === 0) return false;
    const last = spec.lastKey < 0 ? request.count + spec.lastKey : spec.lastKey;
    for (let i = spec.firstKey; i <= last && i < request.count; i += spec.keyStep)
      if (saveKey(cx, request, i, mayWait)) return true;
    return false;
  }
  // Whatever the key specs tell, the arguments may be wrong: then the command fails and changes nothing.
  if (keyPositions(spec, request, positions) <= 0) return false;
  const { flags, indexes } = positions;
  return indexes.some((i, n) => !isReplaced(flags[n]) && saveKey(cx, request, i, mayWait));
}

/** Saves the key in argument `i`, or postpones the command in `cx` until it is saved: true. */
function saveKey(cx: HandlerContext, request: Request, i: number, mayWait: boolean): boolean {
  const { db } = cx;
  const { snapshot } = db.keyspace;
  const e = db.find(request.buf, request.start[i], request.length[i]);
  if (e === 0 || snapshot === null) return false;
  if (!mayWait || !snapshot.isCostly(e)) {
    snapshot.beforeChange(db.dict, e);
    return false;
  }
  postponeUntilSaved(cx, db, e);
  return true;
}

function postponeUntilSaved(cx: HandlerContext, db: Database, e: number): void {
  const { client } = cx;
  postpone(cx);
  client.set(ClientFlag.Paused);
  halt(client, Halt.Snapshot);
  db.keyspace.snapshot?.hurry(db.dict, e, () => goOn(client));
}

/** Lets a client go on whose command was postponed. */
function goOn(client: Client): void {
  if (client.has(ClientFlag.Closed)) return;
  client.unset(ClientFlag.Paused);
  release(client, Halt.Snapshot);
}
