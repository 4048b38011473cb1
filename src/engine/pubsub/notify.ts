/**
 * Keyspace notifications: `__keyspace@N__:key` messages that carry the event, and `__keyevent@N__:event` messages that carry the key
 * (https://redis.io/docs/latest/develop/pubsub/keyspace-notifications/). Which classes of events are published is a setting.
 */
import { copyBytes, latin1Bytes } from "../../base/bytes.ts";
import { Event } from "../effects.ts";
import type { EngineView } from "../handler-context.ts";
import { Observer } from "../observer.ts";

/** Puts the setting `notify-keyspace-events` into effect, now and whenever it changes. */
export function followNotifySetting(engine: EngineView): void {
  const apply = (): null => {
    setNotifyMask(engine, engine.config.values.notifyKeyspaceEvents);
    return null;
  };
  engine.config.onApply("notify-keyspace-events", apply);
  apply();
}

/** Switches classes of events on (bits of Event). Without K or E nothing is published, whatever the classes. */
function setNotifyMask(engine: EngineView, mask: number): void {
  const channels = Event.Keyspace | Event.Keyevent;
  engine.notifyMask = (mask & channels) !== 0 && (mask & ~channels) !== 0 ? mask : 0;
  if (engine.notifyMask !== 0) engine.observed |= Observer.Notify;
  else engine.observed &= ~Observer.Notify;
}

/** The name of a channel in the making, and event names as bytes: both only to save allocations. */
let scratch = new Uint8Array(256);
const nameBytes = new Map<string, Uint8Array>();

/** Publishes an event of class `event` for a key, as far as the settings ask for it. */
export function notifyKeyspaceEvent(
  engine: EngineView,
  event: number,
  name: string,
  dbId: number,
  buf: Uint8Array,
  at: number,
  length: number,
): void {
  const mask = engine.notifyMask;
  const { pubsub } = engine;
  if ((mask & event) === 0 || pubsub.isIdle) return;
  const text = bytesOf(name);
  if ((mask & Event.Keyspace) !== 0) {
    const end = channelName("__keyspace@", dbId, buf, at, length);
    pubsub.publish(scratch, 0, end, text, 0, text.length);
  }
  if ((mask & Event.Keyevent) !== 0) {
    const end = channelName("__keyevent@", dbId, text, 0, text.length);
    pubsub.publish(scratch, 0, end, buf, at, length);
  }
}

function bytesOf(name: string): Uint8Array {
  let bytes = nameBytes.get(name);
  if (bytes === undefined) {
    bytes = latin1Bytes(name);
    nameBytes.set(name, bytes);
  }
  return bytes;
}

/** Writes `<prefix><dbId>__:<tail>` into the scratch buffer; returns its length. */
function channelName(prefix: string, dbId: number, tail: Uint8Array, at: number, length: number): number {
  const least = prefix.length + 24 + length;
  if (least > scratch.length) scratch = new Uint8Array(least * 2);
  let end = writeAscii(prefix, 0);
  end = writeAscii(dbId < 10 ? DIGITS[dbId] : String(dbId), end);
  end = writeAscii("__:", end);
  copyBytes(tail, at, scratch, end, length);
  return end + length;
}

const DIGITS = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

function writeAscii(text: string, at: number): number {
  for (let i = 0; i < text.length; i++) scratch[at + i] = text.charCodeAt(i);
  return at + text.length;
}
