/**
 * A channel or a pattern and who listens to it, in the order in which they came: a doubly linked list, so that leaving costs the same
 * however many listen, and a delivery walks it without allocating.
 * Invariant: `count` subscriptions lead from `first` over `next` to `last`.
 */

/** One listener's place in one topic. */
export interface Subscription<L> {
  readonly topic: Topic<L>;
  readonly listener: L;
  previous: Subscription<L> | null;
  next: Subscription<L> | null;
}

export class Topic<L> {
  /** The name: bytes, and the same as a latin1 string. */
  readonly bytes: Uint8Array;
  readonly name: string;
  first: Subscription<L> | null = null;
  last: Subscription<L> | null = null;
  count = 0;

  constructor(bytes: Uint8Array, name: string) {
    this.bytes = bytes;
    this.name = name;
  }

  /** Adds a listener behind the others. */
  add(listener: L): Subscription<L> {
    const subscription: Subscription<L> = { topic: this, listener, previous: this.last, next: null };
    if (this.last === null) this.first = subscription;
    else this.last.next = subscription;
    this.last = subscription;
    this.count++;
    return subscription;
  }

  /** Takes a subscription of this topic out. It keeps its `next`, so that whoever stands on it can walk on. */
  remove(subscription: Subscription<L>): void {
    const { previous, next } = subscription;
    if (previous === null) this.first = next;
    else previous.next = next;
    if (next === null) this.last = previous;
    else next.previous = previous;
    this.count--;
  }
}
