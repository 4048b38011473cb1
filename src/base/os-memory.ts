/**
 * Advice to the operating system about ranges of large buffers, through the C library's madvise. Everything here is an optimisation: where there
 * is no such library (or it refuses), nothing happens. The library is loaded on the first call, which costs about 2 ms.
 */
import { openLibrary } from "./c-library.ts";

/** What a memory owner may tell the system about a byte range of a buffer. */
export interface MemoryAdvice {
  /** The content is dead: the physical memory may go back. Returns true when it did. The range then reads as zeros. */
  purge(bytes: Uint8Array, offset: number, length: number): boolean;
  /** The range will be written to in small places all over it, and nobody has time for the clearing of a whole huge page (2 MiB). */
  keepPagesSmall(bytes: Uint8Array, offset: number, length: number): void;
}

const MADV_DONTNEED = 4;
// Huge pages are for the JavaScript heap alone (heap-pages.ts).
const MADV_NOHUGEPAGE = 15;

type Madvise = (bytes: Uint8Array, offset: number, length: number, advice: number) => boolean;

function loadMadvise(): Madvise {
  // On macOS and Windows the constants differ or there is no such call.
  if (process.platform !== "linux") return () => false;
  const library = openLibrary({ madvise: { args: ["ptr", "u64", "i32"], returns: "i32" } });
  if (library === null) return () => false;
  const { madvise } = library.symbols;
  const { ptr } = require("bun:ffi") as typeof import("bun:ffi");
  return (bytes, offset, length, advice) => madvise(ptr(bytes, offset), length, advice) === 0;
}

/** The running system. */
export class SystemMemory implements MemoryAdvice {
  #madvise: Madvise | null = null;

  purge(bytes: Uint8Array, offset: number, length: number): boolean {
    return this.#advise(bytes, offset, length, MADV_DONTNEED);
  }

  keepPagesSmall(bytes: Uint8Array, offset: number, length: number): void {
    this.#advise(bytes, offset, length, MADV_NOHUGEPAGE);
  }

  #advise(bytes: Uint8Array, offset: number, length: number, advice: number): boolean {
    this.#madvise ??= loadMadvise();
    return this.#madvise(bytes, offset, length, advice);
  }
}
