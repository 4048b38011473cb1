/** How many members a sorted set has, whatever its encoding. */
import type { Arena, Ref } from "../../arena/arena.ts";
import { dictSize } from "../../struct/dict/dict.ts";
import { containerRoot } from "../container.ts";
import { Encoding, entryEncoding } from "../entry.ts";
import { pairCount } from "./zset-listpack.ts";

export function zsetLength(a: Arena, e: Ref): number {
  const root = containerRoot(a, e);
  return entryEncoding(a, e) === Encoding.Listpack ? pairCount(a, root) : dictSize(a, root);
}
