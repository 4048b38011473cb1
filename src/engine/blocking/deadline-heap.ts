/**
 * Things with a deadline, the earliest first: a binary heap in which every item knows its place, so that any of them can be taken out.
 * Invariant: items[i] is no later than its children 2i+1 and 2i+2, and items[i].heapIndex === i. Equal deadlines come out in order of `order`.
 */

/** What the heap needs of an item. */
export interface Deadlined {
  /** Unix time in ms. */
  readonly deadlineMs: number;
  /** Decides between equal deadlines. */
  readonly order: number;
  /** Place in the heap, -1 when outside; kept by the heap. */
  heapIndex: number;
}

export class DeadlineHeap<T extends Deadlined> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** The earliest item, or null. */
  get first(): T | null {
    return this.#items.length === 0 ? null : this.#items[0];
  }

  add(item: T): void {
    item.heapIndex = this.#items.length;
    this.#items.push(item);
    this.#up(item.heapIndex);
  }

  /** Takes an item out; harmless when it is not in. */
  remove(item: T): void {
    const at = item.heapIndex;
    if (at < 0) return;
    item.heapIndex = -1;
    const last = this.#items.pop() as T;
    if (last === item) return;
    this.#place(last, at);
    this.#up(at);
    this.#down(last.heapIndex);
  }

  #up(from: number): void {
    const items = this.#items;
    const item = items[from];
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isEarlier(item, items[parent])) break;
      this.#place(items[parent], at);
      at = parent;
    }
    this.#place(item, at);
  }

  #down(from: number): void {
    const items = this.#items;
    const item = items[from];
    let at = from;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && isEarlier(items[child + 1], items[child])) child++;
      if (!isEarlier(items[child], item)) break;
      this.#place(items[child], at);
      at = child;
    }
    this.#place(item, at);
  }

  #place(item: T, at: number): void {
    this.#items[at] = item;
    item.heapIndex = at;
  }
}

function isEarlier(a: Deadlined, b: Deadlined): boolean {
  return a.deadlineMs < b.deadlineMs || (a.deadlineMs === b.deadlineMs && a.order < b.order);
}
