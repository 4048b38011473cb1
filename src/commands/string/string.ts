/** The string commands. */

import { int64High, int64Low } from "../../base/int64.ts";
import { Event } from "../../engine/effects.ts";
import { command, Flag, keysToEnd, oneKey } from "../../engine/spec.ts";
import { NO_EXPIRY } from "../../keyspace/database.ts";
import { Encoding, entryEncoding, Type } from "../../types/entry.ts";
import { ByteSpan, readString, setStringInt, stringIntValue } from "../../types/string.ts";

const span = new ByteSpan();
export const STRING_COMMANDS = [
  command({
    name: "ping",
    arity: -1,
    flags: Flag.Fast,
    since: "1",
    group: "connection",
    summary: "",
    complexity: "",
    run(cx) {
      cx.reply.status("PONG");
    },
  }),
  command({
    name: "dbsize",
    arity: 1,
    flags: Flag.Fast | Flag.Readonly,
    since: "1",
    group: "server",
    summary: "",
    complexity: "",
    run(cx) {
      cx.reply.integer(cx.db.size);
    },
  }),
  command({
    name: "flushall",
    arity: -1,
    flags: Flag.Write,
    since: "1",
    group: "server",
    summary: "",
    complexity: "",
    run(cx) {
      cx.engine.keyspace.flush(-1);
      cx.dirty++;
      cx.reply.ok();
    },
  }),
  command({
    name: "get",
    arity: 2,
    flags: Flag.Readonly | Flag.Fast,
    since: "1",
    group: "string",
    summary: "",
    complexity: "",
    keys: [oneKey("RO access")],
    run(cx) {
      const e = cx.lookupRead(1);
      if (e === 0) {
        cx.reply.nil();
        return;
      }
      cx.requireType(e, Type.String);
      readString(cx.arena, e, span);
      cx.reply.bulk(span.buf, span.at, span.length);
    },
  }),
  command({
    name: "set",
    arity: -3,
    flags: Flag.Write | Flag.DenyOom,
    since: "1",
    group: "string",
    summary: "",
    complexity: "",
    keys: [oneKey("RW")],
    run(cx) {
      let expiry = NO_EXPIRY;
      if (cx.argc > 3) expiry = cx.nowMs + cx.integer(4) * 1000;
      cx.db.setString(cx.buf, cx.start[1], cx.length[1], cx.buf, cx.start[2], cx.length[2], expiry, cx.request.owned);
      cx.changed(1, Event.String, "set");
      cx.reply.ok();
    },
  }),
  command({
    name: "mset",
    arity: -3,
    flags: Flag.Write | Flag.DenyOom,
    since: "1",
    group: "string",
    summary: "",
    complexity: "",
    keys: [keysToEnd("RW")],
    run(cx) {
      for (let i = 1; i < cx.argc; i += 2) {
        cx.db.setString(cx.buf, cx.start[i], cx.length[i], cx.buf, cx.start[i + 1], cx.length[i + 1], NO_EXPIRY, false);
        cx.changed(i, Event.String, "set");
      }
      cx.reply.ok();
    },
  }),
  command({
    name: "incr",
    arity: 2,
    flags: Flag.Write | Flag.Fast,
    since: "1",
    group: "string",
    summary: "",
    complexity: "",
    keys: [oneKey("RW")],
    run(cx) {
      const e = cx.lookupWrite(1);
      if (e === 0) {
        cx.db.setString(cx.buf, cx.start[1], cx.length[1], ONE, 0, 1, NO_EXPIRY, false);
        cx.changed(1, Event.String, "incrby");
        cx.reply.integer(1);
        return;
      }
      cx.requireType(e, Type.String);
      if (entryEncoding(cx.arena, e) !== Encoding.Int) throw new Error("x");
      const n = stringIntValue(cx.arena, e) + 1;
      setStringInt(cx.arena, e, int64Low(n), int64High(n));
      cx.changed(1, Event.String, "incrby");
      cx.reply.integer(n);
    },
  }),
];
const ONE = new Uint8Array([49]);
