/**
 * All databases of a server over one arena. The keyspace knows nothing of clients; what it must tell (a key expired) goes to its listener.
 */
import type { Arena } from "../arena/arena.ts";
import type { Prng } from "../base/prng.ts";
import { Database } from "./database.ts";
import { KeyRules } from "./key-rules.ts";
import { freeContent } from "./lazy-free.ts";

export class Keyspace extends KeyRules {
  readonly databases: Database[] = [];
  /** Databases in the making, which are to take these ones' place; their content is in the arena, too. */
  staging: readonly Database[] | null = null;

  constructor(arena: Arena, count: number, prng: Prng) {
    super(arena, prng);
    this.databases.length = count;
    for (let id = 0; id < count; id++) this.databases[id] = new Database(this, id);
  }

  /**
   * Empties databases: all of them (id -1) or one. `lazy` leaves the work to lazyFree. Returns the number of keys that were in them. When nothing else
   * is left, the arena is given up as a whole, which is no work at all.
   */
  flush(id: number, lazy: boolean): number {
    let keys = 0;
    let others = 0;
    for (const db of this.databases) {
      if (id < 0 || db.id === id) keys += db.size;
      else others += db.size;
    }
    if (keys === 0) return 0;
    if (this.snapshot !== null) {
      for (const db of this.databases) if (id < 0 || db.id === id) this.#empty(db, lazy);
    } else if (others === 0 && this.staging === null) {
      this.#reset();
      if (lazy) this.lazyFree.freedObjects += keys;
    } else {
      for (const db of this.databases) if (id < 0 || db.id === id) this.#empty(db, lazy);
    }
    return keys;
  }

  #empty(db: Database, lazy: boolean): void {
    const keys = db.size;
    if (keys === 0) return;
    const content = db.empty();
    if (this.snapshot?.takesOver(content.dict, content.expires) === true) return;
    if (lazy) this.lazyFree.addContent(content, keys);
    else freeContent(this.arena, content);
  }

  #reset(): void {
    this.lazyFree.forget();
    this.arena.reset();
    for (const db of this.databases) db.restart();
  }

  /** Forbids or allows that dicts of keys grow, shrink and rehash. */
  setResizing(allowed: boolean): void {
    if (allowed === this.resizing) return;
    this.resizing = allowed;
    for (const db of this.databases) db.pauseResizing(allowed ? -1 : 1);
    for (const db of this.staging ?? []) db.pauseResizing(allowed ? -1 : 1);
  }
}
