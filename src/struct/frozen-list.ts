/**
 * A quicklist as it was at an instant, read node by node while it changes: what a snapshot makes of a large list. The nodes are noted in their order; one that is
 * about to change or to go, and was not read, is replaced by a copy there. Nodes that came later are not noted.
 *
 * Invariant: each node that was there at the instant is handed out once, in order, with what it held then.
 */
import type { Arena, Ref } from "../arena/arena.ts";
import type { FrozenStructure, FrozenView } from "../arena/frozen.ts";
import {
  nodeCopy,
  nodeFree,
  nodeMemory,
  nodeNext,
  quicklistCount,
  quicklistEnd,
  quicklistFreeze,
  quicklistNodes,
} from "./quicklist-node.ts";

export class FrozenList implements FrozenStructure, FrozenView {
  readonly elements: number;
  readonly count: number;
  readonly leastMs = 0;
  isInherited = false;
  copiedBytes = 0;
  readonly #arena: Arena;
  readonly #list: Ref;
  readonly #entry: Ref;
  readonly #nodes: Int32Array;
  /** Where the list's own nodes stand in it. */
  readonly #places = new Map<Ref, number>();
  #next = 0;
  /** The copy that was handed out last, to be freed. */
  #given: Ref = 0;
  #isGone = false;
  #inheritedBytes = 0;

  /** Freezes a list, for which the entry `entry` stands. */
  constructor(a: Arena, list: Ref, entry: Ref) {
    this.#arena = a;
    this.#list = list;
    this.#entry = entry;
    this.elements = quicklistCount(a, list);
    this.count = quicklistNodes(a, list);
    this.#nodes = new Int32Array(this.count);
    let place = 0;
    for (let node = quicklistEnd(a, list, true); node !== 0; node = nodeNext(a, node), place++) {
      this.#nodes[place] = node;
      this.#places.set(node, place);
    }
    quicklistFreeze(a, list, true);
    a.frozen.add(list, entry, this);
  }

  get left(): number {
    return this.count - this.#next;
  }

  /** Thaws the list, and frees all copies. */
  release(): void {
    const a = this.#arena;
    for (; this.left > 0; this.#freeGiven()) this.next();
    this.#freeGiven();
    a.frozen.keptBytes -= this.#inheritedBytes;
    if (!this.#isGone) quicklistFreeze(a, this.#list, false);
    a.frozen.remove(this.#isGone ? 0 : this.#list, this.#entry);
  }

  beforeChange(node: Ref): void {
    const place = this.#places.get(node);
    if (place === undefined) return;
    // The number of a node that goes may be given to another one.
    this.#places.delete(node);
    if (place < this.#next) return;
    const a = this.#arena;
    const copy = nodeCopy(a, node);
    this.#nodes[place] = copy;
    this.copiedBytes += nodeMemory(a, copy);
    a.frozen.keptBytes += nodeMemory(a, copy);
  }

  inherit(bytes: number): void {
    this.isInherited = true;
    this.#inheritedBytes = bytes;
    this.#arena.frozen.keptBytes += bytes;
  }

  vanish(): void {
    this.#isGone = true;
  }

  next(): Ref {
    this.#freeGiven();
    if (this.left === 0) return 0;
    const place = this.#next++;
    const node = this.#nodes[place];
    if (this.#places.get(node) !== place) this.#given = node;
    return node;
  }

  #freeGiven(): void {
    if (this.#given === 0) return;
    this.#arena.frozen.keptBytes -= nodeMemory(this.#arena, this.#given);
    nodeFree(this.#arena, this.#given);
    this.#given = 0;
  }
}
