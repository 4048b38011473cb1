/** DEBUG PROTOCOL: one fixed sample of every reply type, for tests of clients. */
import { latin1Bytes } from "../../base/bytes.ts";
import type { Context } from "../../engine/context.ts";
import { ReplyError } from "../../resp/errors.ts";

const RESP2_HAS_NONE = new ReplyError("ERR RESP2 is not supported by this command");
const WRONG_NAME = new ReplyError(
  "ERR Wrong protocol type name. Please use one of the following: string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
);
const AFTER_ATTRIBUTE = "Some real reply following the attribute";
const AFTER_PUSH = "Some real reply following the push reply";
const COUNT = 3;

/** Adds 0, 1, 2 to an aggregate. */
function countUp(cx: Context): void {
  for (let i = 0; i < COUNT; i++) cx.reply.integer(i);
}

function writePush(cx: Context): void {
  const { reply } = cx;
  if (!reply.resp3) throw RESP2_HAS_NONE;
  reply.push(2);
  reply.bulkText("server-cpu-usage");
  reply.integer(42);
  reply.bulkText(AFTER_PUSH);
}

function writeAttribute(cx: Context): void {
  const { reply } = cx;
  if (reply.resp3) {
    reply.attribute(1);
    reply.bulkText("key-popularity");
    reply.array(2);
    reply.bulkText("key:123");
    reply.integer(90);
  }
  reply.bulkText(AFTER_ATTRIBUTE);
}

function writeMap(cx: Context): void {
  const { reply } = cx;
  reply.map(COUNT);
  for (let i = 0; i < COUNT; i++) {
    reply.integer(i);
    reply.boolean(i === 1);
  }
}

const SAMPLES: ReadonlyMap<string, (cx: Context) => void> = new Map<string, (cx: Context) => void>([
  ["string", (cx) => cx.reply.bulk(HELLO, 0, HELLO.length)],
  ["integer", (cx) => cx.reply.integer(12345)],
  ["double", (cx) => cx.reply.double("3.141")],
  ["bignum", (cx) => cx.reply.bigNumber("1234567999999999999999999999999999999")],
  ["null", (cx) => cx.reply.nil()],
  [
    "array",
    (cx) => {
      cx.reply.array(COUNT);
      countUp(cx);
    },
  ],
  [
    "set",
    (cx) => {
      cx.reply.set(COUNT);
      countUp(cx);
    },
  ],
  ["map", writeMap],
  ["attrib", writeAttribute],
  ["push", writePush],
  ["true", (cx) => cx.reply.boolean(true)],
  ["false", (cx) => cx.reply.boolean(false)],
  ["verbatim", (cx) => cx.reply.verbatim("This is a verbatim\nstring")],
]);
const HELLO = latin1Bytes("Hello World");

/** DEBUG PROTOCOL type. */
export function debugProtocol(cx: Context): void {
  const write = SAMPLES.get(cx.text(2).toLowerCase());
  if (write === undefined) throw WRONG_NAME;
  write(cx);
}
