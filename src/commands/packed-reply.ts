/** Answering with what stands in a listpack, straight from its bytes. */
import type { ReplyWriter } from "../resp/writer.ts";
import { integer, isShortString, readInteger, stringAt, stringLength } from "../struct/listpack/listpack-element.ts";

/** Answers the element at `p` in the bytes of a listpack as a bulk string. */
export function writePacked(reply: ReplyWriter, buf: Uint8Array, p: number): void {
  if (isShortString(buf, p)) reply.bulk(buf, stringAt(buf, p), stringLength(buf, p));
  else writeOther(reply, buf, p);
}

/** The same for what is rarer: in a function of its own, so that the common case is compiled well. */
function writeOther(reply: ReplyWriter, buf: Uint8Array, p: number): void {
  if (readInteger(buf, p)) reply.bulkInt64(integer.low, integer.high);
  else reply.bulk(buf, stringAt(buf, p), stringLength(buf, p));
}
