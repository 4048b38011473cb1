/** DEBUG subcommands about lists: QUICKLIST-PACKED-THRESHOLD, and what DEBUG OBJECT says of a quicklist. */
import type { Arena, Ref } from "../../arena/arena.ts";
import { parseMemory } from "../../config/number-text.ts";
import type { Context } from "../../engine/context.ts";
import { ReplyError } from "../../resp/errors.ts";
import { quicklistCount, quicklistDepth, quicklistFill, quicklistNodes } from "../../struct/quicklist/quicklist.ts";
import { nodeBytes, nodeNext, quicklistEnd } from "../../struct/quicklist/quicklist-node.ts";
import { containerRoot } from "../../types/container.ts";
import { Encoding, entryEncoding } from "../../types/entry.ts";

const PLAIN_MIN_MAX = 2n ** 32n - 2n ** 20n;
const NOT_A_LENGTH = new ReplyError("ERR argument must be a memory value bigger than 1 and smaller than 4gb");

/** DEBUG QUICKLIST-PACKED-THRESHOLD length: elements of lists from that length on get nodes of their own; 0: as the settings say. */
export function debugPlainMin(cx: Context): void {
  const length = parseMemory(cx.text(2));
  if (length === null || length > PLAIN_MIN_MAX) throw NOT_A_LENGTH;
  cx.engine.debug.listPlainMin = Number(length);
}

/** What DEBUG OBJECT adds for a quicklist; the empty text for any other value. */
export function quicklistText(a: Arena, e: Ref): string {
  if (entryEncoding(a, e) !== Encoding.Quicklist) return "";
  const ql = containerRoot(a, e);
  const nodes = quicklistNodes(a, ql);
  let bytes = 0;
  for (let node = quicklistEnd(a, ql, true); node !== 0; node = nodeNext(a, node)) bytes += nodeBytes(a, node);
  const average = (quicklistCount(a, ql) / nodes).toFixed(2);
  const compressed = quicklistDepth(a, ql) === 0 ? 0 : 1;
  return ` ql_nodes:${nodes} ql_avg_node:${average} ql_listpack_max:${quicklistFill(a, ql)} ql_compressed:${compressed} ql_uncompressed_size:${bytes}`;
}
