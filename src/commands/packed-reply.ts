/** Answering with what stands in a listpack, straight from its bytes. */
import type { ReplyWriter } from "../resp/writer.ts";
import { integer, isString, readInteger, stringAt, stringLength } from "../struct/listpack-element.ts";

/** Answers the element at `p` in the bytes of a listpack as a bulk string. */
export function writePacked(reply: ReplyWriter, buf: Uint8Array, p: number): void {
  if (isString(buf, p)) {
    reply.bulk(buf, stringAt(buf, p), stringLength(buf, p));
  } else {
    readInteger(buf, p);
    reply.bulkInt64(integer.low, integer.high);
  }
}
