/** Delivers the effects of a command, in one fixed order: dirty count, WATCH and tracking, propagation, keyspace events, clients blocked on ready keys. */
import { latin1Bytes } from "../base/bytes.ts";
import type { Context } from "./context.ts";
import type { Engine } from "./engine.ts";
import { notifyKeyspaceEvent } from "./notify.ts";
import { Observer } from "./observer.ts";
import { type CommandSpec, Flag } from "./spec.ts";

export function deliverEffects(engine: Engine, cx: Context, spec: CommandSpec): void {
  engine.dirty += cx.dirty;
  const effects = cx.effects;
  if ((engine.observed & Observer.Watch) !== 0) {
    for (let i = 0; i < effects.count; i++) {
      if (effects.modified[i] === 1)
        engine.watches.touch(effects.dbId[i], effects.bufs[i], effects.at[i], effects.length[i]);
    }
  }
  if (engine.sinks.length > 0) propagate(engine, cx, spec);
  cx.replacement = null;
  if ((engine.observed & Observer.Notify) !== 0) {
    for (let i = 0; i < effects.count; i++) {
      if ((effects.event[i] & engine.notifyMask) === 0) continue;
      notifyKeyspaceEvent(
        engine,
        effects.event[i],
        effects.names[i],
        effects.dbId[i],
        effects.bufs[i],
        effects.at[i],
        effects.length[i],
      );
    }
  }
  if ((engine.observed & Observer.Blocked) !== 0) {
    for (let i = 0; i < effects.count; i++) {
      if (effects.modified[i] === 1)
        engine.blocking.keyReady(effects.dbId[i], effects.bufs[i], effects.at[i], effects.length[i]);
    }
  }
  effects.count = 0;
}

function propagate(engine: Engine, cx: Context, spec: CommandSpec): void {
  if (cx.replacement !== null) {
    for (const parts of cx.replacement) for (const sink of engine.sinks) sink.propagate(cx.db.id, parts);
    return;
  }
  if (cx.dirty === 0 || (spec.flags & (Flag.Write | Flag.MayReplicate)) === 0) return;
  const parts: Uint8Array[] = [];
  for (let i = 0; i < cx.argc; i++) parts.push(cx.bytes(i));
  for (const sink of engine.sinks) sink.propagate(cx.db.id, parts);
}

/** Propagates a command that no client sent: the deletion of an expired key and the like. */
export function propagateInternal(engine: Engine, dbId: number, parts: readonly (string | Uint8Array)[]): void {
  if (engine.sinks.length === 0) return;
  const bytes = parts.map((part) => (typeof part === "string" ? latin1Bytes(part) : part));
  for (const sink of engine.sinks) sink.propagate(dbId, bytes);
}
