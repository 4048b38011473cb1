/** DEBUG LISTPACK and DEBUG QUICKLIST: what a value looks like inside, as lines of the server's log. Long elements are cut. */
import type { Arena, Ref } from "../../arena/arena.ts";
import { latin1 } from "../../base/bytes.ts";
import type { Context } from "../../engine/context.ts";
import { ReplyError } from "../../resp/errors.ts";
import {
  ListpackElement,
  listpackBytes,
  listpackCount,
  listpackFirst,
  listpackNext,
  listpackRead,
} from "../../struct/listpack/listpack.ts";
import { quicklistCount, quicklistNodes } from "../../struct/quicklist/quicklist.ts";
import {
  nodeBytes,
  nodeContent,
  nodeElements,
  nodeIsCompressed,
  nodeIsPlain,
  nodeNext,
  quicklistEnd,
} from "../../struct/quicklist/quicklist-node.ts";
import { containerRoot } from "../../types/container.ts";
import { Encoding, entryEncoding } from "../../types/entry.ts";

const NOT_A_LISTPACK = new ReplyError("ERR Not a listpack encoded object.");
const NOT_A_QUICKLIST = new ReplyError("ERR Not a quicklist encoded object.");
/** More of an element is not shown. */
const SHOWN_BYTES = 40;

const element = new ListpackElement();

/** The elements of a listpack, a line each. */
function listpackLines(a: Arena, lp: number): string[] {
  const lines = [`{total bytes ${listpackBytes(a, lp)}} {num entries ${listpackCount(a, lp)}}`];
  for (let p = listpackFirst(a, lp); p !== 0; p = listpackNext(a, lp, p)) {
    listpackRead(a, lp, p, element);
    const kind = element.isInteger ? "int" : "str";
    element.text();
    const text = latin1(element.buf, element.at, Math.min(element.length, SHOWN_BYTES));
    const rest = element.length > SHOWN_BYTES ? "..." : "";
    lines.push(`{offset ${p}, ${kind}, length ${element.length}} ${JSON.stringify(text)}${rest}`);
  }
  return lines;
}

/** DEBUG LISTPACK key, of an entry that exists. */
export function debugListpack(cx: Context, e: Ref): void {
  const encoding = entryEncoding(cx.arena, e);
  if (encoding !== Encoding.Listpack && encoding !== Encoding.ListpackEx) throw NOT_A_LISTPACK;
  for (const line of listpackLines(cx.arena, containerRoot(cx.arena, e))) cx.engine.log.notice(line);
  cx.reply.status("Listpack structure printed on stdout");
}

/** DEBUG QUICKLIST key [0|1], of an entry that exists; 1: with the elements of the nodes that are neither plain nor compressed. */
export function debugQuicklist(cx: Context, e: Ref): void {
  const a = cx.arena;
  if (entryEncoding(a, e) !== Encoding.Quicklist) throw NOT_A_QUICKLIST;
  const full = cx.argc === 4 && cx.integer(3) !== 0;
  const ql = containerRoot(a, e);
  const { log } = cx.engine;
  log.notice(`{count : ${quicklistCount(a, ql)}} {nodes : ${quicklistNodes(a, ql)}}`);
  for (let node = quicklistEnd(a, ql, true); node !== 0; node = nodeNext(a, node)) {
    const kind = nodeIsPlain(a, node) ? "plain" : "listpack";
    const form = nodeIsCompressed(a, node) ? "compressed" : "raw";
    log.notice(`{${kind}, ${form}, ${nodeBytes(a, node)} bytes, ${nodeElements(a, node)} elements}`);
    if (full && kind === "listpack" && form === "raw")
      for (const line of listpackLines(a, nodeContent(a, node))) log.notice(line);
  }
  cx.reply.status("Quicklist structure printed on stdout");
}
