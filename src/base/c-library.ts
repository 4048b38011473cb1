/** The system's C library, for calls that the runtime has no function for. */
import type { FFIFunction, Library } from "bun:ffi";

const NAMES: Readonly<Record<string, readonly string[]>> = {
  linux: ["libc.so.6", process.arch === "arm64" ? "libc.musl-aarch64.so.1" : "libc.musl-x86_64.so.1"],
  darwin: ["libSystem.B.dylib"],
};

/** File names to try on this platform; on Linux musl's comes after glibc's. */
export const C_LIBRARIES = NAMES[process.platform] ?? [];

/** The functions of the C library that `symbols` describes; null when there is none. The first call costs about 2 ms. */
export function openLibrary<Fns extends Record<string, FFIFunction>>(symbols: Fns): Library<Fns> | null {
  for (const name of C_LIBRARIES) {
    const { dlopen } = require("bun:ffi") as typeof import("bun:ffi");
    try {
      return dlopen(name, symbols);
    } catch {
      // The next name may be there.
    }
  }
  return null;
}
