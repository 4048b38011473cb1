/** Delivers the effects of a command, in one fixed order: dirty count, WATCH and tracking, propagation, keyspace events, clients blocked on ready keys. */
import type { EngineView, HandlerContext } from "./handler-context.ts";
import { Observer } from "./observer.ts";
import { Pending } from "./pending.ts";
import { Target, wireStart } from "./propagation.ts";
import { notifyKeyspaceEvent } from "./pubsub/notify.ts";
import { type CommandSpec, Flag } from "./spec/spec.ts";

/** Delivers and clears what the handler of `spec` has reported in `cx`. Called once, after the handler has returned. */
export function deliverEffects(engine: EngineView, cx: HandlerContext, spec: CommandSpec): void {
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
  cx.forcedTargets = 0;
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

function propagate(engine: EngineView, cx: HandlerContext, spec: CommandSpec): void {
  const dbId = cx.db.id;
  if (cx.forcedTargets !== 0) {
    engine.propagation.addArguments(dbId, cx.forcedTargets, cx.buf, cx.start, cx.length, cx.argc);
  } else if (cx.replacement !== null) {
    for (const parts of cx.replacement) engine.propagation.addParts(dbId, Target.All, parts);
  } else if (cx.dirty !== 0 && (spec.flags & (Flag.Write | Flag.MayReplicate)) !== 0) {
    if (engine.depth === 1 && engine.propagation.count === 0 && propagatedAsItCame(engine, cx)) return;
    engine.propagation.addArguments(dbId, Target.All, cx.buf, cx.start, cx.length, cx.argc);
  }
  engine.pending |= Pending.Propagation;
}

/** Hands a command that is a unit of its own to the sinks without a copy in between, if its bytes are there; false if not. */
function propagatedAsItCame(engine: EngineView, cx: HandlerContext): boolean {
  const { buf, start, length, argc } = cx;
  const at = wireStart(buf, start, length, argc);
  if (at < 0) return false;
  const bytes = start[argc - 1] + length[argc - 1] + 2 - at;
  const { sinks } = engine;
  for (let i = 0; i < sinks.length; i++) sinks[i].propagate(cx.db.id, buf, at, bytes);
  return true;
}

/**
 * Propagates a command that no client sent: the deletion of an expired key and the like. Within a command it becomes part of that command's
 * unit, ahead of the command itself; otherwise it goes out at once.
 */
export function propagateInternal(
  engine: EngineView,
  dbId: number,
  parts: readonly (string | Uint8Array)[],
  targets: number = Target.All,
): void {
  if (engine.sinks.length === 0) return;
  engine.propagation.addParts(dbId, targets, parts);
  if (engine.depth > 0) engine.pending |= Pending.Propagation;
  else engine.propagation.flush(engine.sinks, false);
}
