/**
 * A quick "certainly not" for sets of keys that are asked about on every write (watched keys, keys that clients wait for): counts by a
 * cheap code of (database, length, a few bytes). No key is missed; a few others pass and cost a real look-up.
 */

const SLOTS = 1024;

export class KeyFilter {
  readonly #counts = new Int32Array(SLOTS);

  /** Adds a key; a key added twice is to be removed twice. */
  add(dbId: number, buf: Uint8Array, at: number, length: number): void {
    this.#counts[slotOf(dbId, buf, at, length)]++;
  }

  remove(dbId: number, buf: Uint8Array, at: number, length: number): void {
    this.#counts[slotOf(dbId, buf, at, length)]--;
  }

  /** False when the key is certainly not in the set. */
  mayHave(dbId: number, buf: Uint8Array, at: number, length: number): boolean {
    return this.#counts[slotOf(dbId, buf, at, length)] !== 0;
  }
}

function slotOf(dbId: number, buf: Uint8Array, at: number, length: number): number {
  if (length === 0) return dbId & (SLOTS - 1);
  const end = at + length;
  let code = Math.imul(dbId + length, 31) + buf[at + (length >> 1)];
  for (let i = end > at + 4 ? end - 4 : at; i < end; i++) code = Math.imul(code, 31) + buf[i];
  return (code ^ (code >>> 10)) & (SLOTS - 1);
}
