/**
 * The elements that SORT works on, copied out of their value, and the order that they are put into:
 *
 *   bytes    elements and, for ALPHA with BY, what they are compared by, one after the other
 *   at, length              where an element is in `bytes`
 *   keyAt, keyLength        where that is which an element is compared by; length -1: it has none and comes first
 *   weight   what a numeric sort compares
 *   order    indexes of rows: after sort(), in ascending or descending order
 *
 * The sort is stable. Rows of numeric sorts with equal weights are compared by their elements.
 */
import { compareBytes, copyBytes } from "../../base/bytes.ts";

const ROWS_START = 64;
const BYTES_START = 4096;
/** What grew beyond this is let go afterwards. */
const KEEP_ROWS = 1 << 14;
const KEEP_BYTES = 1 << 18;
/** Runs up to this length are sorted by insertion. */
const RUN = 8;

/** What rows are compared by. */
export const Compare = {
  Weights: 0,
  /** Elements, or what was looked up for them, up to the first NUL: what the C library compares. */
  Elements: 1,
  Keys: 2,
  /** The same as all bytes. */
  WholeElements: 3,
  WholeKeys: 4,
} as const;

export class SortRows {
  count = 0;
  bytes = new Uint8Array(BYTES_START);
  used = 0;
  at = new Uint32Array(ROWS_START);
  length = new Int32Array(ROWS_START);
  keyAt = new Uint32Array(ROWS_START);
  keyLength = new Int32Array(ROWS_START);
  weight = new Float64Array(ROWS_START);
  order = new Uint32Array(ROWS_START);
  #merged = new Uint32Array(ROWS_START);
  #compare = 0;
  #sign = 1;

  /** Forgets all rows, and makes room for `rows`. */
  begin(rows: number): void {
    this.count = 0;
    this.used = 0;
    if (rows > this.at.length || (this.at.length > KEEP_ROWS && rows < KEEP_ROWS)) this.#resize(rows);
    if (this.bytes.length > KEEP_BYTES) this.bytes = new Uint8Array(BYTES_START);
  }

  #resize(rows: number): void {
    const capacity = Math.max(rows, ROWS_START);
    this.at = new Uint32Array(capacity);
    this.length = new Int32Array(capacity);
    this.keyAt = new Uint32Array(capacity);
    this.keyLength = new Int32Array(capacity);
    this.weight = new Float64Array(capacity);
    this.order = new Uint32Array(capacity);
    this.#merged = new Uint32Array(capacity);
  }

  #take(buf: Uint8Array, at: number, length: number): number {
    const start = this.used;
    if (start + length > this.bytes.length) {
      const grown = new Uint8Array(Math.max(start + length, this.bytes.length * 2));
      grown.set(this.bytes.subarray(0, start));
      this.bytes = grown;
    }
    copyBytes(buf, at, this.bytes, start, length);
    this.used = start + length;
    return start;
  }

  /** Adds an element, of weight 0 and with nothing that it is compared by. There is room: see begin(). */
  add(buf: Uint8Array, at: number, length: number): void {
    const row = this.count++;
    this.at[row] = this.#take(buf, at, length);
    this.length[row] = length;
    this.keyLength[row] = -1;
    this.weight[row] = 0;
    this.order[row] = row;
  }

  /** Sets what an element is compared by. */
  setKey(row: number, buf: Uint8Array, at: number, length: number): void {
    this.keyAt[row] = this.#take(buf, at, length);
    this.keyLength[row] = length;
  }

  /** Puts `order` in order. */
  sort(compare: number, descending: boolean): void {
    this.#compare = compare;
    this.#sign = descending ? -1 : 1;
    const { count } = this;
    for (let from = 0; from < count; from += RUN) this.#insertionSort(from, Math.min(from + RUN, count));
    let source = this.order;
    let target = this.#merged;
    for (let width = RUN; width < count; width *= 2) {
      for (let from = 0; from < count; from += width * 2) {
        const middle = Math.min(from + width, count);
        this.#merge(source, target, from, middle, Math.min(middle + width, count));
      }
      [source, target] = [target, source];
    }
    this.order = source;
    this.#merged = target;
  }

  #insertionSort(from: number, to: number): void {
    const { order } = this;
    for (let i = from + 1; i < to; i++) {
      const row = order[i];
      let j = i;
      for (; j > from && this.#order(order[j - 1], row) > 0; j--) order[j] = order[j - 1];
      order[j] = row;
    }
  }

  #merge(source: Uint32Array, target: Uint32Array, from: number, middle: number, to: number): void {
    let left = from;
    let right = middle;
    for (let i = from; i < to; i++) {
      const takesLeft = right === to || (left < middle && this.#order(source[left], source[right]) <= 0);
      target[i] = takesLeft ? source[left++] : source[right++];
    }
  }

  #order(one: number, other: number): number {
    return this.#sign * (this.#compare === Compare.Weights ? this.#byWeight(one, other) : this.#byBytes(one, other));
  }

  #byWeight(one: number, other: number): number {
    const difference = this.weight[one] - this.weight[other];
    if (difference > 0) return 1;
    if (difference < 0) return -1;
    const { at, bytes, length } = this;
    // Infinities of the same sign have no difference, nor have equal numbers.
    return compareBytes(bytes, at[one], length[one], bytes, at[other], length[other]);
  }

  #byBytes(one: number, other: number): number {
    const compare = this.#compare;
    const byKey = compare === Compare.Keys || compare === Compare.WholeKeys;
    const at = byKey ? this.keyAt : this.at;
    const length = byKey ? this.keyLength : this.length;
    if (length[one] < 0) return length[other] < 0 ? 0 : -1;
    if (length[other] < 0) return 1;
    const { bytes } = this;
    const whole = compare === Compare.WholeElements || compare === Compare.WholeKeys;
    return (whole ? compareBytes : compareTexts)(bytes, at[one], length[one], bytes, at[other], length[other]);
  }
}

/** As compareBytes, for runs that end at their first NUL. */
function compareTexts(
  a: Uint8Array,
  aOffset: number,
  aLength: number,
  b: Uint8Array,
  bOffset: number,
  bLength: number,
): number {
  const shared = aLength < bLength ? aLength : bLength;
  for (let i = 0; i < shared; i++) {
    const difference = a[aOffset + i] - b[bOffset + i];
    if (difference !== 0) return difference;
    if (a[aOffset + i] === 0) return 0;
  }
  const aGoesOn = aLength > shared && a[aOffset + shared] !== 0;
  const bGoesOn = bLength > shared && b[bOffset + shared] !== 0;
  return (aGoesOn ? 1 : 0) - (bGoesOn ? 1 : 0);
}
