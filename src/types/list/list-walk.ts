/**
 * A walk over all elements of a list for whoever writes a snapshot: the entry may stand for a list that is frozen, and go on changing.
 *
 *   listWalkStart(a, e, walk);
 *   while (listWalkNext(a, walk)) ... walk.element
 *   listWalkEnd(a, walk);
 */
import type { Arena, Ref } from "../../arena/arena.ts";
import type { FrozenView } from "../../arena/frozen.ts";
import {
  cursorEnterCopy,
  cursorLeave,
  cursorNext,
  cursorRead,
  QuicklistCursor,
} from "../../struct/quicklist/quicklist-cursor.ts";
import { ListElement, listSeek } from "./list.ts";

export class ListWalk {
  /** The element that the walk has come to: bytes, good until it goes on. */
  readonly element = new ListElement();
  readonly cursor = new QuicklistCursor();
  frozen: FrozenView | null = null;
  /** The cursor stands on an element that the walk has not come to, or behind the last one of a node. */
  isAhead = false;
  isBehind = false;
}

/** Puts a walk before the first element of a list that is not empty. */
export function listWalkStart(a: Arena, e: Ref, walk: ListWalk): void {
  walk.frozen = a.frozen.view(e);
  walk.isAhead = walk.frozen === null && listSeek(a, e, 0, walk.cursor);
  walk.isBehind = !walk.isAhead;
}

/** Goes on to the next element; false at the end. */
export function listWalkNext(a: Arena, walk: ListWalk): boolean {
  const { cursor, frozen } = walk;
  if (!walk.isAhead && !walk.isBehind) walk.isBehind = !cursorNext(a, cursor);
  if (walk.isBehind) {
    const node = frozen?.next() ?? 0;
    if (node === 0) return false;
    cursorEnterCopy(a, cursor, node);
    walk.isBehind = false;
  }
  walk.isAhead = false;
  cursorRead(cursor, walk.element);
  walk.element.text();
  return true;
}

/** Lets go of what a walk holds. */
export function listWalkEnd(a: Arena, walk: ListWalk): void {
  cursorLeave(a, walk.cursor);
}
