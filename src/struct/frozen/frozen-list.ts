/**
 * A quicklist as it was at an instant, read node by node while it changes: what a snapshot makes of a large list. The nodes are noted in their order; one that is
 * about to change or to go, and was not read, is replaced by a copy there. Nodes that came later are not noted.
 *
 * Invariant: each node that was there at the instant is handed out once, in order, with what it held then.
 */
import type { Arena, Ref } from "../../arena/arena.ts";
import type { FrozenStructure, FrozenView } from "../../arena/frozen.ts";
import {
  nodeCopy,
  nodeFree,
  nodeMemory,
  nodeNext,
  quicklistCount,
  quicklistEnd,
  quicklistFreeze,
  quicklistNodes,
} from "../quicklist/quicklist-node.ts";

export class FrozenList implements FrozenStructure, FrozenView {
  readonly elements: number;
  readonly count: number;
  readonly leastMs = 0;
  isInherited = false;
  copiedBytes = 0;
  readonly #arena: Arena;
  readonly #list: Ref;
  readonly #entry: Ref;
  /** The nodes, and which of them are copies. From #next on, those that are none are still in the list. */
  readonly #nodes: Int32Array;
  readonly #isCopy: Uint8Array;
  #next = 0;
  /** The nodes at the ends are changed over and over: two of which is known that nothing is to be kept, neither of them nor of whatever takes their place. */
  #idle: Ref = 0;
  #idleBefore: Ref = 0;
  /** Where the node was that was copied last: what is cut off goes node by node. */
  #place = 0;
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
    this.#isCopy = new Uint8Array(this.count);
    let place = 0;
    for (let node = quicklistEnd(a, list, true); node !== 0; node = nodeNext(a, node)) this.#nodes[place++] = node;
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
    a.frozen.inheritedBytes -= this.#inheritedBytes;
    if (!this.#isGone) quicklistFreeze(a, this.#list, false);
    a.frozen.remove(this.#isGone ? 0 : this.#list, this.#entry);
  }

  beforeChange(node: Ref): void {
    if (node === this.#idle || node === this.#idleBefore) return;
    this.#idleBefore = this.#idle;
    this.#idle = node;
    const place = this.#find(node);
    if (place < 0) return;
    this.#place = place;
    const a = this.#arena;
    const copy = nodeCopy(a, node);
    this.#nodes[place] = copy;
    this.#isCopy[place] = 1;
    this.copiedBytes += nodeMemory(a, copy);
    a.frozen.copyBytes += nodeMemory(a, copy);
  }

  /** Where a node is noted that was neither read nor copied; negative: nowhere. */
  #find(node: Ref): number {
    const after = this.#place + 1;
    if (after >= this.#next && after < this.count && this.#nodes[after] === node) return after;
    const before = this.#place - 1;
    if (before >= this.#next && this.#nodes[before] === node) return before;
    return this.#nodes.indexOf(node, this.#next);
  }

  inherit(bytes: number): void {
    this.isInherited = true;
    this.#inheritedBytes = bytes;
    this.#arena.frozen.inheritedBytes += bytes;
  }

  vanish(): void {
    this.#isGone = true;
  }

  next(): Ref {
    this.#freeGiven();
    if (this.left === 0) return 0;
    const place = this.#next++;
    const node = this.#nodes[place];
    if (this.#isCopy[place] !== 0) this.#given = node;
    return node;
  }

  #freeGiven(): void {
    if (this.#given === 0) return;
    this.#arena.frozen.copyBytes -= nodeMemory(this.#arena, this.#given);
    nodeFree(this.#arena, this.#given);
    this.#given = 0;
  }
}
