/** While a snapshot is in progress: the keys of a command that writes are saved before it runs. */
import type { HandlerContext } from "./handler-context.ts";
import { keyPositions, noPositions } from "./key-positions.ts";
import { type CommandSpec, Flag } from "./spec.ts";

const positions = noPositions();

/** Lets the snapshot see the keys of the command in `cx` as they are now. Keys in other databases, and keys that a handler finds itself, are announced by the database. */
export function saveKeysFirst(cx: HandlerContext, spec: CommandSpec): void {
  if ((spec.flags & Flag.MovableKeys) === 0 && spec.literal.getKeys === undefined) {
    if (spec.keyStep === 0) return;
    const last = spec.lastKey < 0 ? cx.argc + spec.lastKey : spec.lastKey;
    for (let i = spec.firstKey; i <= last && i < cx.argc; i += spec.keyStep) saveFirst(cx, i);
    return;
  }
  // Whatever the key specs tell, the arguments may be wrong: then the command fails and changes nothing.
  if (keyPositions(spec, cx.request, positions) <= 0) return;
  for (const i of positions.indexes) saveFirst(cx, i);
}

function saveFirst(cx: HandlerContext, i: number): void {
  const { db } = cx;
  const e = db.find(cx.buf, cx.start[i], cx.length[i]);
  if (e !== 0) db.keyspace.snapshot?.beforeChange(db.dict, e);
}
