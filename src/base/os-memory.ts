/**
 * Advice to the operating system about ranges of large buffers, through the C library's madvise. Everything here is an optimisation: where there
 * is no such library (or it refuses), nothing happens. The library is loaded on the first call, which costs about 2 ms.
 */

/** What a memory owner may tell the system about a byte range of a buffer. */
export interface MemoryAdvice {
  /** The content is dead: the physical memory may go back. Returns true when it did. The range then reads as zeros. */
  purge(bytes: Uint8Array, offset: number, length: number): boolean;
  /** The range will be written to in small places all over it, and nobody has time for the clearing of a whole huge page (2 MiB). */
  keepPagesSmall(bytes: Uint8Array, offset: number, length: number): void;
}

const MADV_DONTNEED = 4;
// MADV_HUGEPAGE is the allocator's to say: scripts/build.ts switches that on.
const MADV_NOHUGEPAGE = 15;
/** The C library's file name by platform; musl's is tried after glibc's. */
const LIBRARIES = ["libc.so.6", process.arch === "arm64" ? "libc.musl-aarch64.so.1" : "libc.musl-x86_64.so.1"];

type Madvise = (bytes: Uint8Array, offset: number, length: number, advice: number) => boolean;

function loadMadvise(): Madvise {
  // On macOS and Windows the constants differ or there is no such call.
  if (process.platform !== "linux") return () => false;
  for (const library of LIBRARIES) {
    try {
      const ffi = require("bun:ffi") as typeof import("bun:ffi");
      const { symbols } = ffi.dlopen(library, { madvise: { args: ["ptr", "u64", "i32"], returns: "i32" } });
      return (bytes, offset, length, advice) => symbols.madvise(ffi.ptr(bytes, offset), length, advice) === 0;
    } catch {
      // The next name may be there.
    }
  }
  return () => false;
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
