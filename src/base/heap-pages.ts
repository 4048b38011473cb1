/**
 * Huge pages (2 MiB) for the JavaScript heap, on Linux: with them GET and SET take 4 to 7 % less processor time (P=1 and P=16, paired runs).
 *
 * They are asked for when a server is up, not by the allocator (its option allow_thp) when it makes its heap: a start touches a little of many huge pages, and the
 * clearing of them took a tenth to a fifth of it. What has been touched by then the system gathers in its own time. Only on x64: on arm64 a huge page may be of
 * 512 MiB. Data stays on small pages (os-memory.ts): huge ones took 26 % of the processor time off 2 million SETs of new keys, but the clearing of one can take
 * milliseconds, and tables touch several at once.
 */
import { readFileSync } from "node:fs";
import { openLibrary } from "./c-library.ts";

const MADV_HUGEPAGE = 14;

/** Start of a line of /proc/<pid>/maps: first address, address behind the last, rights. */
const WRITABLE = /^([0-9a-f]+)-([0-9a-f]+) rw/gm;

/** The mapping that an address lies in; null when it is in none. Addresses are below 2^47. */
function mappingAround(address: number, maps: string): { readonly start: number; readonly bytes: number } | null {
  for (const [, first, behind] of maps.matchAll(WRITABLE)) {
    const start = Number.parseInt(first!, 16);
    const end = Number.parseInt(behind!, 16);
    if (start <= address && address < end) return { start, bytes: end - start };
  }
  return null;
}

/** Asks the system for huge pages where the heap lies: the allocator's first arena, a gigabyte of address space. Nothing happens where there are none to be had. */
export function askForHugePages(): void {
  if (process.platform !== "linux" || process.arch !== "x64") return;
  const library = openLibrary({ madvise: { args: ["u64", "u64", "i32"], returns: "i32" } });
  if (library === null) return;
  const { ptr } = require("bun:ffi") as typeof import("bun:ffi");
  try {
    const heap = mappingAround(Number(ptr(new Uint8Array(1))), readFileSync("/proc/self/maps", "latin1"));
    if (heap !== null) library.symbols.madvise(heap.start, heap.bytes, MADV_HUGEPAGE);
  } catch {
    // No /proc.
  }
}
