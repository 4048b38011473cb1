/** The members that a search has found, as columns: no object per member. One list serves all searches. */

/** Columns longer than this are let go after the search. */
const CAPACITY_KEEP = 16 * 1024;

export class Matches {
  count = 0;
  /** Where the member stands: ZsetWalk.place. */
  places = new Int32Array(64);
  scores = new Float64Array(64);
  longitudes = new Float64Array(64);
  latitudes = new Float64Array(64);
  /** Meters from the center. */
  distances = new Float64Array(64);
  /** Indexes in the order in which the members are answered: set by sort(). */
  order = new Int32Array(64);

  push(place: number, score: number, longitude: number, latitude: number, distanceM: number): void {
    const i = this.count;
    if (i === this.places.length) this.#grow();
    this.places[i] = place;
    this.scores[i] = score;
    this.longitudes[i] = longitude;
    this.latitudes[i] = latitude;
    this.distances[i] = distanceM;
    this.order[i] = i;
    this.count = i + 1;
  }

  #grow(): void {
    const capacity = this.count * 2;
    this.places = grownInts(this.places, capacity);
    this.order = grownInts(this.order, capacity);
    this.scores = grownDoubles(this.scores, capacity);
    this.longitudes = grownDoubles(this.longitudes, capacity);
    this.latitudes = grownDoubles(this.latitudes, capacity);
    this.distances = grownDoubles(this.distances, capacity);
  }

  /** Puts the nearest first (1), or the farthest (-1). Members at the same distance keep their order. */
  sort(direction: 1 | -1): void {
    const { distances } = this;
    this.order.subarray(0, this.count).sort((i, j) => (distances[i] - distances[j]) * direction || i - j);
  }

  /** Forgets everything. */
  clear(): void {
    this.count = 0;
    if (this.places.length <= CAPACITY_KEEP) return;
    this.places = new Int32Array(64);
    this.order = new Int32Array(64);
    this.scores = new Float64Array(64);
    this.longitudes = new Float64Array(64);
    this.latitudes = new Float64Array(64);
    this.distances = new Float64Array(64);
  }
}

function grownInts(old: Int32Array, capacity: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(capacity);
  grown.set(old);
  return grown;
}

function grownDoubles(old: Float64Array, capacity: number): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(capacity);
  grown.set(old);
  return grown;
}
