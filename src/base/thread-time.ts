/**
 * How long the calling thread has had a processor: the C library's clock_gettime. What the runtime knows of that (process.threadCpuUsage) moves on at the
 * kernel's ticks, every 4 ms or so, and a slice of a quarter of a millisecond seems to take either nothing or sixteen times as long as it does.
 */
import { openLibrary } from "./c-library.ts";

/** Linux' number. */
const CLOCK_THREAD_CPUTIME_ID = 3;
/** struct timespec of 64 bits as words: where the low halves of its seconds and nanoseconds are. */
const TIMESPEC_WORDS = 4;
const SECONDS = 0;
const NANOSECONDS = 2;

function runtimeUs(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

/** The function that returns this time in microseconds, with a fraction. Opening it costs some milliseconds once. */
export function openThreadTime(): () => number {
  if (process.platform !== "linux") return runtimeUs;
  const library = openLibrary({ clock_gettime: { args: ["i32", "ptr"], returns: "i32" } });
  if (library === null) return runtimeUs;
  const { clock_gettime } = library.symbols;
  const time = new Int32Array(TIMESPEC_WORDS);
  return () =>
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, time) === 0 ? time[SECONDS] * 1e6 + time[NANOSECONDS] / 1000 : runtimeUs();
}
