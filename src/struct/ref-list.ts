/** A list of refs outside the collector's sight. */
import type { Ref } from "../arena/arena.ts";

/** A growing list of refs that scans fill; reuse one to avoid allocation. */
export class RefList {
  refs = new Int32Array(64);
  count = 0;
  push(ref: Ref): void {
    if (this.count === this.refs.length) {
      const grown = new Int32Array(this.count * 2);
      grown.set(this.refs);
      this.refs = grown;
    }
    this.refs[this.count++] = ref;
  }
}
