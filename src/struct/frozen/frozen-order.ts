/**
 * The members of a large sorted set from the highest place down, for as long as nothing changes: a snapshot writes them in that order, in which they are
 * loaded fastest. When it ends, a copy of the member that would have come next is the mark: what is above it was handed out.
 */
import type { Arena, Ref } from "../../arena/arena.ts";
import { TreeCursor, treeCount, treeMember, treePrefetch, treePrevious, treeSeek } from "../ranked-tree/ranked-tree.ts";
import { compareMembers, memberCopy, memberFree, memberScoreKey, scoreKey } from "../scored-member.ts";
import type { UndisturbedOrder } from "./frozen-dict.ts";

export class DescendingOrder implements UndisturbedOrder {
  readonly #arena: Arena;
  readonly #tree: Ref;
  readonly #cursor = new TreeCursor();
  #hasBegun = false;
  /** Which leaf's members were touched, and what keeps those loads alive. */
  #leaf: Ref = 0;
  touched = 0;
  /** The mark, and its score as scoreKey has it. All members are past when there is none although the walk has begun. */
  #mark: Ref = 0;
  #high = 0;
  #low = 0;

  /** The tree is not empty. */
  constructor(a: Arena, tree: Ref) {
    this.#arena = a;
    this.#tree = tree;
  }

  next(): Ref {
    const a = this.#arena;
    const cursor = this.#cursor;
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      treeSeek(a, this.#tree, treeCount(a, this.#tree) - 1, cursor);
    }
    if (cursor.leaf === 0) return 0;
    if (cursor.leaf !== this.#leaf) {
      this.#leaf = cursor.leaf;
      this.touched ^= treePrefetch(a, cursor);
    }
    const m = treeMember(a, cursor);
    treePrevious(a, cursor);
    return m;
  }

  end(): void {
    if (!this.#hasBegun || this.#cursor.leaf === 0) return;
    this.#mark = memberCopy(this.#arena, treeMember(this.#arena, this.#cursor));
    memberScoreKey(this.#arena, this.#mark);
    this.#high = scoreKey.high;
    this.#low = scoreKey.low;
  }

  isPast(m: Ref): boolean {
    if (this.#mark === 0) return this.#hasBegun;
    memberScoreKey(this.#arena, m);
    const { high, low } = scoreKey;
    if (high !== this.#high) return high > this.#high;
    return low === this.#low ? compareMembers(this.#arena, m, this.#mark) > 0 : low > this.#low;
  }

  release(): void {
    if (this.#mark !== 0) memberFree(this.#arena, this.#mark);
  }
}
