/**
 * All databases of a server over one arena. The keyspace knows nothing of clients; what it must tell (a key expired) goes to its listener.
 *
 * Databases are made when somebody asks for them, and their code, a quarter of what a start would load, is read then: commands about connections need none.
 */
import type { Arena } from "../arena/arena.ts";
import type { Prng } from "../base/prng.ts";
import type { Database } from "./database.ts";
import { KeyRules } from "./key-rules.ts";

export class Keyspace extends KeyRules {
  /** Called when the databases have been made, with the bytes that they take. */
  onOpen: (bytes: number) => void = () => {};
  /** Null until then. */
  #databases: Database[] | null = null;
  readonly #count: number;
  /** Databases in the making, which are to take these ones' place; their content is in the arena, too. */
  staging: readonly Database[] | null = null;

  constructor(arena: Arena, count: number, prng: Prng) {
    super(arena, prng);
    this.#count = count;
  }

  get databases(): Database[] {
    return this.#databases ?? this.#makeDatabases();
  }

  /** Makes the databases if need be. */
  open(): void {
    if (this.#databases === null) this.#makeDatabases();
  }

  /** The database of new clients; null while there are none. */
  get first(): Database | null {
    return this.#databases === null ? null : this.#databases[0];
  }

  #makeDatabases(): Database[] {
    const { Database } = require("./database.ts") as typeof import("./database.ts");
    const databases: Database[] = [];
    const before = this.arena.usedBytes;
    for (let id = 0; id < this.#count; id++) databases.push(new Database(this, id));
    this.#databases = databases;
    this.onOpen(this.arena.usedBytes - before);
    return databases;
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
    else this.freeContent(content);
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
