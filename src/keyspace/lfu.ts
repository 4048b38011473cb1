/**
 * The 24 access bits of an entry: an LRU clock in seconds, or, under an LFU policy, [minutes of the last decrement:16][logarithmic counter:8]
 * (Salvatore Sanfilippo's scheme, as redis.conf documents for lfu-log-factor and lfu-decay-time).
 */
import type { Arena, Ref } from "../arena/arena.ts";
import type { Prng } from "../base/prng.ts";
import { entryAccess, setEntryAccess } from "../types/entry.ts";

/** Counter of a new key: high enough to live until it was seen again. */
export const LFU_INITIAL = 5;
const COUNTER_MAX = 255;

/** What access bits are judged by. */
export interface AccessRules {
  readonly arena: Arena;
  readonly prng: Prng;
  /** The 24-bit access clock: seconds, or minutes. */
  readonly accessClock: number;
  readonly lfuLogFactor: number;
  readonly lfuDecayMinutes: number;
}

/** The counter of access bits after the decay that the time since asks for. */
export function lfuDecayed(rules: AccessRules, access: number): number {
  const counter = access & 255;
  const elapsed = ((rules.accessClock & 0xffff) - (access >>> 8)) & 0xffff;
  const periods = rules.lfuDecayMinutes > 0 ? Math.floor(elapsed / rules.lfuDecayMinutes) : 0;
  return periods > counter ? 0 : counter - periods;
}

/** Records an access: decays, then counts up with a chance that falls as the counter grows. */
export function lfuTouched(rules: AccessRules, e: Ref): void {
  let counter = lfuDecayed(rules, entryAccess(rules.arena, e));
  if (counter < COUNTER_MAX) {
    const above = counter > LFU_INITIAL ? counter - LFU_INITIAL : 0;
    if (rules.prng.float() < 1 / (above * rules.lfuLogFactor + 1)) counter++;
  }
  setEntryAccess(rules.arena, e, ((rules.accessClock & 0xffff) << 8) | counter);
}

/** Seconds since the last access, from access bits that are an LRU clock. */
export function idleSeconds(rules: AccessRules, access: number): number {
  return (rules.accessClock - access) & 0xffffff;
}
