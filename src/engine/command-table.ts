/**
 * The table of commands: from the bytes of a name to its spec, without making a string. Open addressing over a hash of the
 * lower-cased name, renames included.
 *
 * A family of commands (command-family.ts) stands in the table by its names; its specs are made when one of them is asked for.
 * Invariant: the slots hold the commands that are loaded, so that finding one of those never looks at a family.
 */
import { latin1, latin1Bytes } from "../base/bytes.ts";
import { type CommandFamily, type CommandList, isFamily } from "./command-family.ts";
import { CommandSpec } from "./spec.ts";

const NAME_MAX = 64;

/** Messages of rename(). */
export const RENAME_UNKNOWN = "No such command in rename-command";
export const RENAME_TARGET_EXISTS = "Target command name already exists";

/** A command's place in the table. Either of the two is not null. */
interface Entry {
  spec: CommandSpec | null;
  /** Who has the command while it is not loaded. */
  family: CommandFamily | null;
}

export class CommandTable {
  /** All top-level commands by the name that clients use (after rename-command). */
  readonly #named = new Map<string, Entry>();
  /** All commands under their original names: AOF, replication and internal callers use these. */
  readonly #original = new Map<string, Entry>();
  /** Called before a family is loaded, whose commands may need what this brings. */
  beforeLoading: () => void = () => {};
  #slots: (CommandSpec | null)[] = [];
  #names: Uint8Array[] = [];
  #mask = 0;

  constructor(list: CommandList) {
    for (const item of list) {
      if (isFamily(item)) for (const name of item.names) this.#declare(name, { spec: null, family: item });
      else this.#declare(item.name, { spec: new CommandSpec(item), family: null });
    }
    this.#build();
  }

  #declare(name: string, entry: Entry): void {
    if (this.#original.has(name)) throw new Error(`command ${name} is declared twice`);
    this.#original.set(name, entry);
    this.#named.set(name, entry);
  }

  /** Number of top-level commands that clients can call. */
  get size(): number {
    return this.#named.size;
  }

  /** All top-level commands that clients can call. Loads them. */
  all(): CommandSpec[] {
    return Array.from(this.#named.values(), (entry) => this.#specOf(entry));
  }

  /** The top-level commands that are loaded, under whatever name: no other was ever called. */
  loaded(): CommandSpec[] {
    const specs: CommandSpec[] = [];
    for (const { spec } of this.#original.values()) if (spec !== null) specs.push(spec);
    return specs;
  }

  /** Loads a family that nobody has asked for yet. False when there is none. */
  loadNext(): boolean {
    for (const { family } of this.#original.values()) {
      if (family === null) continue;
      this.#load(family);
      return true;
    }
    return false;
  }

  /** Applies `rename-command from to`; an empty `to` removes the command. Returns an error text or null. */
  rename(from: string, to: string): string | null {
    const entry = this.#named.get(from.toLowerCase());
    if (entry === undefined) return RENAME_UNKNOWN;
    this.#named.delete(from.toLowerCase());
    if (to.length > 0) {
      if (this.#named.has(to.toLowerCase())) return RENAME_TARGET_EXISTS;
      this.#named.set(to.toLowerCase(), entry);
    }
    this.#build();
    return null;
  }

  /** The spec of a name in bytes (any case), or null. */
  find(buf: Uint8Array, offset: number, length: number): CommandSpec | null {
    if (length === 0 || length > NAME_MAX) return null;
    let hash = length;
    for (let i = 0; i < length; i++) hash = (Math.imul(hash, 31) + lower(buf[offset + i])) | 0;
    for (let slot = (hash ^ (hash >>> 9)) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const spec = this.#slots[slot];
      if (spec === null) return this.#findUnloaded(latin1(buf, offset, length).toLowerCase());
      if (sameName(this.#names[slot], buf, offset, length)) return spec;
    }
  }

  /** The spec of "name" or "container|sub" in text (any case), or undefined. */
  lookup(fullName: string): CommandSpec | undefined {
    const [name, sub, rest] = fullName.toLowerCase().split("|");
    const entry = this.#named.get(name);
    if (entry === undefined || rest !== undefined) return undefined;
    const spec = this.#specOf(entry);
    return sub === undefined ? spec : spec.subcommands?.get(sub);
  }

  /** The spec of a command's own name (lower case), renamed or not, or undefined. */
  lookupOriginal(name: string): CommandSpec | undefined {
    const entry = this.#original.get(name);
    return entry === undefined ? undefined : this.#specOf(entry);
  }

  /** The subcommand of a container by bytes, or null. Slow path: makes a string. */
  findSub(container: CommandSpec, buf: Uint8Array, offset: number, length: number): CommandSpec | null {
    if (length > NAME_MAX) return null;
    return container.subcommands?.get(latin1(buf, offset, length).toLowerCase()) ?? null;
  }

  #findUnloaded(name: string): CommandSpec | null {
    const entry = this.#named.get(name);
    return entry === undefined ? null : this.#specOf(entry);
  }

  #specOf(entry: Entry): CommandSpec {
    if (entry.family !== null) this.#load(entry.family);
    return entry.spec as CommandSpec;
  }

  #load(family: CommandFamily): void {
    this.beforeLoading();
    const literals = family.load();
    if (literals.map(({ name }) => name).join(" ") !== family.names.join(" "))
      throw new Error(`the family of ${family.names[0]} has other commands than its names say`);
    for (const literal of literals) {
      const entry = this.#original.get(literal.name) as Entry;
      entry.spec = new CommandSpec(literal);
      entry.family = null;
    }
    this.#build();
  }

  /** Makes the slots anew. */
  #build(): void {
    let size = 64;
    while (size < this.#named.size * 4) size *= 2;
    this.#mask = size - 1;
    this.#slots = new Array(size).fill(null);
    this.#names = new Array(size).fill(NO_NAME);
    for (const [name, { spec }] of this.#named) if (spec !== null) this.#insert(latin1Bytes(name), spec);
  }

  #insert(name: Uint8Array, spec: CommandSpec): void {
    let hash = name.length;
    for (const c of name) hash = (Math.imul(hash, 31) + c) | 0;
    let slot = (hash ^ (hash >>> 9)) & this.#mask;
    while (this.#slots[slot] !== null) slot = (slot + 1) & this.#mask;
    this.#slots[slot] = spec;
    this.#names[slot] = name;
  }
}

const NO_NAME = new Uint8Array(0);

function lower(c: number): number {
  return c >= 65 && c <= 90 ? c | 32 : c;
}

function sameName(name: Uint8Array, buf: Uint8Array, offset: number, length: number): boolean {
  if (name.length !== length) return false;
  for (let i = 0; i < length; i++) if (name[i] !== lower(buf[offset + i])) return false;
  return true;
}
