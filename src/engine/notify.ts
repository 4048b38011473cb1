/** Keyspace notifications: `__keyspace@N__:key` and `__keyevent@N__:event` messages (https://redis.io/docs/latest/develop/pubsub/keyspace-notifications/). */
import { copyOf, latin1Bytes } from "../base/bytes.ts";
import { Event } from "./effects.ts";
import type { Engine } from "./engine.ts";

/** Publishes an event of class `event` for a key, as far as the settings ask for it. */
export function notifyKeyspaceEvent(
  engine: Engine,
  event: number,
  name: string,
  dbId: number,
  buf: Uint8Array,
  at: number,
  length: number,
): void {
  if ((engine.notifyMask & event) === 0) return;
  const key = copyOf(buf, at, length);
  const nameBytes = latin1Bytes(name);
  if ((engine.notifyMask & Event.Keyspace) !== 0)
    engine.pubsub.publish(joined(`__keyspace@${dbId}__:`, key), nameBytes);
  if ((engine.notifyMask & Event.Keyevent) !== 0)
    engine.pubsub.publish(latin1Bytes(`__keyevent@${dbId}__:${name}`), key);
}

function joined(prefix: string, tail: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(prefix.length + tail.length);
  bytes.set(latin1Bytes(prefix));
  bytes.set(tail, prefix.length);
  return bytes;
}
