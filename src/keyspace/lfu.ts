/**
 * The 24 access bits of an entry: an LRU clock in seconds, or, under an LFU policy, [minutes of the last decrement:16][logarithmic counter:8]
 * (Salvatore Sanfilippo's scheme, as redis.conf documents for lfu-log-factor and lfu-decay-time).
 */
import type { Ref } from "../arena/arena.ts";
import { entryAccess, setEntryAccess } from "../types/entry.ts";
import type { Keyspace } from "./keyspace.ts";

/** Counter of a new key: high enough to live until it was seen again. */
export const LFU_INITIAL = 5;
const COUNTER_MAX = 255;

/** The counter of access bits after the decay that the time since asks for. */
export function lfuDecayed(ks: Keyspace, access: number): number {
  const counter = access & 255;
  const elapsed = ((ks.accessClock & 0xffff) - (access >>> 8)) & 0xffff;
  const periods = ks.lfuDecayMinutes > 0 ? Math.floor(elapsed / ks.lfuDecayMinutes) : 0;
  return periods > counter ? 0 : counter - periods;
}

/** Records an access: decays, then counts up with a chance that falls as the counter grows. */
export function lfuTouched(ks: Keyspace, e: Ref): void {
  let counter = lfuDecayed(ks, entryAccess(ks.arena, e));
  if (counter < COUNTER_MAX) {
    const above = counter > LFU_INITIAL ? counter - LFU_INITIAL : 0;
    if (ks.prng.float() < 1 / (above * ks.lfuLogFactor + 1)) counter++;
  }
  setEntryAccess(ks.arena, e, ((ks.accessClock & 0xffff) << 8) | counter);
}

/** Seconds since the last access, from access bits that are an LRU clock. */
export function idleSeconds(ks: Keyspace, access: number): number {
  return (ks.accessClock - access) & 0xffffff;
}
