/** Values that cannot be read (types/unread-value.ts): their bytes as they came. */
import type { Arena, Ref } from "../arena/arena.ts";
import { blobAt, blobBuffer } from "../arena/blob.ts";
import { containerRoot } from "../types/container.ts";
import { unreadLength } from "../types/unread-value.ts";
import type { RdbOutput } from "./output.ts";
import type { TypeWriter } from "./value.ts";

export class UnreadWriter implements TypeWriter {
  readonly #arena: Arena;
  #e: Ref = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  rdbType(e: Ref): number {
    const blob = containerRoot(this.#arena, e);
    return blobBuffer(this.#arena, blob)[blobAt(this.#arena, blob)];
  }

  begin(e: Ref): void {
    this.#e = e;
  }

  step(out: RdbOutput): boolean {
    const a = this.#arena;
    const blob = containerRoot(a, this.#e);
    out.rawBytes(blobBuffer(a, blob), blobAt(a, blob) + 1, unreadLength(a, this.#e) - 1);
    return true;
  }
}
