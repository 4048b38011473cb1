/** The list as a value type: what is done to lists without knowing that they are. */
import type { Arena, Ref } from "../../arena/arena.ts";
import { blobCapacity } from "../../arena/blob.ts";
import { listpackCopy, listpackFree } from "../../struct/listpack/listpack.ts";
import {
  quicklistCopy,
  quicklistFree,
  quicklistFreeStep,
  quicklistIsFrozen,
  quicklistMemory,
  quicklistNodes,
} from "../../struct/quicklist/quicklist.ts";
import { cursorLeave, cursorNext, cursorRead, QuicklistCursor } from "../../struct/quicklist/quicklist-cursor.ts";
import { containerRoot, setContainerRoot } from "../container.ts";
import type { Digest } from "../digest.ts";
import { Encoding, entryEncoding } from "../entry.ts";
import type { ValueType } from "../value-type.ts";
import { ListElement, listSeek } from "./list.ts";

/** Nodes from which the size of a list is estimated. */
const SAMPLES = 4;

const cursor = new QuicklistCursor();
const element = new ListElement();

function isListpack(a: Arena, e: Ref): boolean {
  return entryEncoding(a, e) === Encoding.Listpack;
}

function free(a: Arena, e: Ref): void {
  if (isListpack(a, e)) listpackFree(a, containerRoot(a, e));
  else if (!isLeft(a, e)) quicklistFree(a, containerRoot(a, e));
}

/** Leaves a quicklist to the snapshot that still reads it, if there is one: true. */
function isLeft(a: Arena, e: Ref): boolean {
  const ql = containerRoot(a, e);
  if (!quicklistIsFrozen(a, ql)) return false;
  a.frozen.inherit(ql, quicklistMemory(a, ql, SAMPLES));
  return true;
}

function freeStep(a: Arena, e: Ref, budget: number): boolean {
  if (!isListpack(a, e)) return isLeft(a, e) || quicklistFreeStep(a, containerRoot(a, e), budget);
  free(a, e);
  return true;
}

function copy(a: Arena, source: Ref, target: Ref): void {
  const root = containerRoot(a, source);
  setContainerRoot(a, target, isListpack(a, source) ? listpackCopy(a, root) : quicklistCopy(a, root));
}

function digest(a: Arena, e: Ref, into: Digest): void {
  for (let more = listSeek(a, e, 0, cursor); more; more = cursorNext(a, cursor)) {
    cursorRead(cursor, element);
    element.text();
    into.mix(element.buf, element.at, element.length);
  }
  cursorLeave(a, cursor);
}

/** The list's row. */
export const LIST: ValueType = {
  free,
  freeEffort: (a, e) => (isListpack(a, e) ? 1 : quicklistNodes(a, containerRoot(a, e))),
  freeStep,
  outsideBytes: (a, e, samples) =>
    isListpack(a, e) ? blobCapacity(a, containerRoot(a, e)) : quicklistMemory(a, containerRoot(a, e), samples),
  copy,
  digest,
};
