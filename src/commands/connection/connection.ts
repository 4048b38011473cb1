/** Commands about the connection itself: PING, ECHO, QUIT, RESET, SELECT. */
import { latin1Bytes } from "../../base/bytes.ts";
import { type Client, ClientFlag } from "../../engine/client/client.ts";
import { type Context, command } from "../../engine/context.ts";
import { Flag } from "../../engine/spec/spec.ts";
import { discardTransaction } from "../../engine/transactions.ts";
import { DB_OUT_OF_RANGE, NOT_AN_INTEGER, ReplyError, wrongArity } from "../../resp/errors.ts";

const PONG = latin1Bytes("+PONG\r\n");
const SUBSCRIBER_PONG = latin1Bytes("*2\r\n$4\r\npong\r\n");
const INT32_MIN = -2147483648;
const INT32_MAX = 2147483647;
const NOT_INT32 = new ReplyError(`ERR value is out of range, value must between ${INT32_MIN} and ${INT32_MAX}`);
const NOT_RESETTABLE = new ReplyError("ERR can only reset normal client connections");

/** Flags of commands that work whatever state the server and the connection are in. */
const ALWAYS = Flag.Noscript | Flag.Loading | Flag.Stale | Flag.Fast | Flag.NoAuth | Flag.AllowBusy;

function ping(cx: Context): void {
  if (cx.argc > 2) throw wrongArity(cx.spec.fullName);
  const { reply } = cx;
  if (cx.client.resp === 2 && cx.client.has(ClientFlag.Subscriber)) {
    reply.rawBytes(SUBSCRIBER_PONG, 0, SUBSCRIBER_PONG.length);
    if (cx.argc === 1) reply.bulkText("");
    else reply.bulk(cx.buf, cx.start[1], cx.length[1]);
  } else if (cx.argc === 1) {
    reply.rawBytes(PONG, 0, PONG.length);
  } else {
    reply.bulk(cx.buf, cx.start[1], cx.length[1]);
  }
}

/** Closes the connection of the client that runs, once its replies are sent; nothing that it sent behind this command is run. */
export function closeAfterReply(client: Client): void {
  client.set(ClientFlag.CloseAfterReply);
  client.link.closeAfterFlush();
}

/** Argument `i` as a 32-bit integer. */
function int32(cx: Context, i: number): number {
  const n = cx.bigInteger(i, NOT_AN_INTEGER);
  if (n < INT32_MIN || n > INT32_MAX) throw NOT_INT32;
  return Number(n);
}

function select(cx: Context): void {
  const { databases } = cx.engine.keyspace;
  const id = int32(cx, 1);
  if (id < 0 || id >= databases.length) throw DB_OUT_OF_RANGE;
  cx.client.db = databases[id];
  cx.db = cx.client.db;
  cx.reply.ok();
}

/** Brings a client back to what it was when it connected. What it said about its library stays true and is kept. */
function reset(cx: Context): void {
  const { client, engine } = cx;
  if (client.has(ClientFlag.Replica | ClientFlag.Primary)) throw NOT_RESETTABLE;
  engine.monitors.remove(client);
  client.db = engine.keyspace.databases[0];
  cx.db = client.db;
  client.resp = 2;
  cx.reply.resp3 = false;
  engine.authentication.admit(client);
  discardTransaction(engine, client);
  engine.pubsub.forget(client);
  client.name = "";
  // ReplySkip stays: it is about the reply to this command.
  client.unset(
    ClientFlag.ReplyOff | ClientFlag.ReplySkipNext | ClientFlag.NoTouch | ClientFlag.NoEvict | ClientFlag.Readonly,
  );
  cx.reply.status("RESET");
}

export const CONNECTION_COMMANDS = [
  command({
    name: "ping",
    arity: -1,
    flags: Flag.Fast,
    since: "1.0.0",
    group: "connection",
    summary: "Answers PONG, or the message it was given: a sign of life.",
    complexity: "O(1)",
    categories: ["connection"],
    syntax: "[message]",
    tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
    run: ping,
  }),
  command({
    name: "echo",
    arity: 2,
    flags: Flag.Loading | Flag.Stale | Flag.Fast,
    since: "1.0.0",
    group: "connection",
    summary: "Sends a message back.",
    complexity: "O(1)",
    categories: ["connection"],
    syntax: "message",
    run(cx) {
      cx.reply.bulk(cx.buf, cx.start[1], cx.length[1]);
    },
  }),
  command({
    name: "quit",
    arity: -1,
    flags: ALWAYS,
    since: "1.0.0",
    group: "connection",
    summary: "Closes the connection after the replies that are on their way.",
    complexity: "O(1)",
    categories: ["connection"],
    deprecatedSince: "7.2.0",
    replacedBy: "just closing the connection",
    docFlags: ["deprecated"],
    run(cx) {
      cx.reply.ok();
      closeAfterReply(cx.client);
    },
  }),
  command({
    name: "reset",
    arity: 1,
    flags: ALWAYS,
    since: "6.2.0",
    group: "connection",
    summary: "Takes back everything that was set up on the connection.",
    complexity: "O(1)",
    categories: ["connection"],
    run: reset,
  }),
  command({
    name: "select",
    arity: 2,
    flags: Flag.Loading | Flag.Stale | Flag.Fast,
    since: "1.0.0",
    group: "connection",
    summary: "Chooses the database that the connection's commands work on.",
    complexity: "O(1)",
    categories: ["connection"],
    syntax: "index:integer",
    run: select,
  }),
];
