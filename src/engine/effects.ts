/**
 * What a handler reports while it runs: the keys it changed. Recorded in preallocated arrays as offsets, delivered once by
 * execute() after the handler has returned.
 */
import { NotifyFlag } from "../config/settings/setting-special.ts";

/** Keyspace event classes: the bits of the setting, and none. */
export const Event = {
  ...NotifyFlag,
  /** No notification: the key changed, and that is all. */
  None: 0,
} as const;

const CAPACITY_START = 16;

/** The list of reported changes of the command that runs. Entries keep their buffers only until cleared. */
export class Effects {
  count = 0;
  bufs: Uint8Array[] = [];
  at = new Int32Array(CAPACITY_START);
  length = new Int32Array(CAPACITY_START);
  dbId = new Int32Array(CAPACITY_START);
  /** Event class bit; 0 for a silent change. */
  event = new Int32Array(CAPACITY_START);
  names: string[] = [];
  /** 1 when the key's value changed (WATCH, tracking and blocked clients care), 0 when it is only a notification. */
  modified = new Uint8Array(CAPACITY_START);

  add(buf: Uint8Array, at: number, length: number, dbId: number, event: number, name: string, modified: number): void {
    const i = this.count++;
    if (i === this.at.length) this.#grow();
    this.bufs[i] = buf;
    this.at[i] = at;
    this.length[i] = length;
    this.dbId[i] = dbId;
    this.event[i] = event;
    this.names[i] = name;
    this.modified[i] = modified;
  }

  #grow(): void {
    const capacity = this.at.length * 2;
    const grown = (old: Int32Array): Int32Array<ArrayBuffer> => {
      const fresh = new Int32Array(capacity);
      fresh.set(old);
      return fresh;
    };
    this.at = grown(this.at);
    this.length = grown(this.length);
    this.dbId = grown(this.dbId);
    this.event = grown(this.event);
    const modified = new Uint8Array(capacity);
    modified.set(this.modified);
    this.modified = modified;
  }
}
