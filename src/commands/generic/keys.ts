/** Commands that take keys as they are, whatever the values: DEL, UNLINK, EXISTS, TYPE, TOUCH, RANDOMKEY. */
import type { Ref } from "../../arena/arena.ts";
import { type Context, command } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { Flag, keysToEnd, oneKey } from "../../engine/spec/spec.ts";
import { ExpiryMode } from "../../keyspace/key-rules.ts";
import { entryExpiry, entryHasExpiry, entryKeyAt, entryKeyBuffer, entryKeyLength } from "../../types/entry.ts";
import { valueTypeName } from "../../types/unread-value.ts";

function deleteKeys(cx: Context, lazy: boolean): void {
  const { db } = cx;
  // A key that only counts as expired (on a replica, or during a pause) is there to be deleted.
  const hides = cx.engine.keyspace.expiryMode === ExpiryMode.Hide;
  let deleted = 0;
  for (let i = 1; i < cx.argc; i++) {
    const e = hides ? db.find(cx.buf, cx.start[i], cx.length[i]) : db.lookup(cx.buf, cx.start[i], cx.length[i]);
    if (e === 0) continue;
    db.remove(e, db.hash, lazy);
    cx.changed(i, Event.Generic, "del");
    deleted++;
  }
  cx.reply.integer(deleted);
}

/** Random keys that are looked at when all may have expired without being deleted. */
const RANDOM_TRIES = 100;

/** A random entry whose key has not expired, or 0. Expired ones are deleted on the way; where they are only hidden, one of them may be the answer. */
function randomLiveEntry(cx: Context): Ref {
  const { db, arena } = cx;
  const ks = cx.engine.keyspace;
  for (let tries = RANDOM_TRIES; ; ) {
    const e = db.random();
    if (e === 0 || !entryHasExpiry(arena, e) || !ks.isExpired(entryExpiry(arena, e))) return e;
    if (ks.expiryMode === ExpiryMode.Delete) db.expire(e, db.hashOf(e));
    else if (db.expiresSize === db.size && --tries === 0) return e;
  }
}

export const KEY_COMMANDS = [
  command({
    name: "del",
    arity: -2,
    flags: Flag.Write,
    since: "1.0.0",
    group: "generic",
    summary: "Deletes keys.",
    complexity: "O(N) for N keys, and O(M) more for each value of M elements that is not a string.",
    categories: ["keyspace"],
    keys: [keysToEnd("RM delete")],
    syntax: "key:key ...",
    tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
    run: (cx) => deleteKeys(cx, cx.engine.config.values.lazyfreeLazyUserDel),
  }),
  command({
    name: "unlink",
    arity: -2,
    flags: Flag.Write | Flag.Fast,
    since: "4.0.0",
    group: "generic",
    summary: "Deletes keys, and frees large values in the background.",
    complexity: "O(1) for each key; freeing is O(N) for N allocations, later.",
    categories: ["keyspace"],
    keys: [keysToEnd("RM delete")],
    syntax: "key:key ...",
    tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
    run: (cx) => deleteKeys(cx, true),
  }),
  command({
    name: "exists",
    arity: -2,
    flags: Flag.Readonly | Flag.Fast,
    since: "1.0.0",
    group: "generic",
    summary: "Counts how many of the keys exist; a key named twice counts twice.",
    complexity: "O(N) for N keys.",
    categories: ["keyspace"],
    keys: [keysToEnd("RO")],
    syntax: "key:key ...",
    tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
    history: [["3.0.3", "Accepts several keys."]],
    run(cx) {
      let count = 0;
      for (let i = 1; i < cx.argc; i++) if (cx.lookupUntouched(i) !== 0) count++;
      cx.reply.integer(count);
    },
  }),
  command({
    name: "type",
    arity: 2,
    flags: Flag.Readonly | Flag.Fast,
    since: "1.0.0",
    group: "generic",
    summary: "Tells the type of a key's value.",
    complexity: "O(1)",
    categories: ["keyspace"],
    keys: [oneKey("RO")],
    syntax: "key:key",
    run(cx) {
      const e = cx.lookupUntouched(1);
      cx.reply.status(e === 0 ? "none" : valueTypeName(cx.arena, e));
    },
  }),
  command({
    name: "touch",
    arity: -2,
    flags: Flag.Readonly | Flag.Fast,
    since: "3.2.1",
    group: "generic",
    summary: "Counts how many of the keys exist, and renews their access time.",
    complexity: "O(N) for N keys.",
    categories: ["keyspace"],
    keys: [keysToEnd("RO")],
    syntax: "key:key ...",
    tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
    run(cx) {
      const { engine } = cx;
      const always = engine.noTouch && engine.config.personality.touchIgnoresNoTouch;
      let count = 0;
      for (let i = 1; i < cx.argc; i++) {
        const e = cx.lookupRead(i);
        if (e === 0) continue;
        if (always) engine.keyspace.touch(e);
        count++;
      }
      cx.reply.integer(count);
    },
  }),
  command({
    name: "randomkey",
    arity: 1,
    flags: Flag.Readonly | Flag.AllKeys,
    since: "1.0.0",
    group: "generic",
    summary: "Answers a random key of the database.",
    complexity: "O(1)",
    categories: ["keyspace"],
    tips: ["request_policy:all_shards", "response_policy:special", "nondeterministic_output"],
    run(cx) {
      const e = randomLiveEntry(cx);
      const a = cx.arena;
      if (e === 0) cx.reply.nil();
      else cx.reply.bulk(entryKeyBuffer(a, e), entryKeyAt(a, e), entryKeyLength(a, e));
    },
  }),
];
