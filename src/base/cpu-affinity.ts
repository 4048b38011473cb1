/**
 * Which processors a thread may run on, by Linux' sched_setaffinity. The C library is loaded on the first call, so that only those who ask for it pay. Elsewhere
 * there is no such call, and nothing happens.
 */
import { openLibrary } from "./c-library.ts";

/** Processors that the kernel's set has room for. */
const CPU_COUNT_MAX = 1024;
const CALLING_THREAD = 0;
const PIECE = /^(\d+)(?:-(\d+)(?::(\d+))?)?$/;

/** The set of processors that a list such as "0,2-3,8-20:4" names, a bit for each; null when it is no such list. */
export function parseCpuList(list: string): Uint8Array | null {
  const set = new Uint8Array(CPU_COUNT_MAX / 8);
  for (const piece of list.split(",")) {
    const found = PIECE.exec(piece);
    if (found === null) return null;
    const first = Number(found[1]);
    const last = Number(found[2] ?? first);
    const step = Number(found[3] ?? 1);
    if (first > last || step === 0) return null;
    for (let cpu = first; cpu <= last && cpu < CPU_COUNT_MAX; cpu += step) set[cpu >> 3] |= 1 << (cpu & 7);
  }
  return set;
}

/** Lets the calling thread, and those that it starts from now on, run only where a list says. False: the list is none, or the system refuses. */
export function pinThread(list: string): boolean {
  if (process.platform !== "linux") return true;
  const set = parseCpuList(list);
  if (set === null) return false;
  const library = openLibrary({ sched_setaffinity: { args: ["i32", "u64", "ptr"], returns: "i32" } });
  return library !== null && library.symbols.sched_setaffinity(CALLING_THREAD, set.length, set) === 0;
}
