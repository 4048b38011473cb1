// Collections of many elements, one of each kind, and what a client waits that changes one of them while a snapshot is made.

/** A kind of collection. */
export interface LargeValue {
  readonly kind: string;
  /** Adds elements `from` to before `to` to the key. */
  fill(key: string, from: number, to: number): string[];
  /** Changes the key in place. */
  change(key: string): string[];
}

function elements(from: number, to: number, make: (i: number) => string[]): string[] {
  return Array.from({ length: to - from }, (_, i) => make(from + i)).flat();
}

export const LARGE_VALUES: readonly LargeValue[] = [
  {
    kind: "hash",
    fill: (key, from, to) => ["HSET", key, ...elements(from, to, (i) => [`field:${i}`, `value:${i}`])],
    change: (key) => ["HSET", key, "field:1", "changed"],
  },
  {
    kind: "set",
    fill: (key, from, to) => ["SADD", key, ...elements(from, to, (i) => [`member:${i}`])],
    change: (key) => ["SADD", key, "another"],
  },
  {
    kind: "sorted set",
    fill: (key, from, to) => ["ZADD", key, ...elements(from, to, (i) => [String((i * 7919) % 1000003), `member:${i}`])],
    change: (key) => ["ZADD", key, "1", "another"],
  },
  {
    kind: "list",
    fill: (key, from, to) => ["RPUSH", key, ...elements(from, to, (i) => [`element:${i}`])],
    change: (key) => ["RPUSH", key, "another"],
  },
  {
    kind: "stream",
    fill: (key, from) => ["XADD", key, `${from + 1}-0`, ...elements(from, from + 1, (i) => ["field", `value:${i}`])],
    change: (key) => ["XADD", key, "*", "field", "another"],
  },
];
