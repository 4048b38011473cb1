/**
 * The table of commands: from the bytes of a name to its spec, without making a string. Open addressing over a hash of the
 * lower-cased name, renames included.
 *
 * A family of commands (command-family.ts) stands in the table by its names; its specs are made when one of them is asked for.
 * Invariant: the slots hold the commands that are loaded, so that finding one of those never looks at a family.
 */
import { latin1, latin1Bytes } from "../../base/bytes.ts";
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

/** All top-level commands. */
interface Entries {
  /** By the name that clients use (after rename-command). */
  readonly named: Map<string, Entry>;
  /** By the original name: AOF, replication and internal callers use these. */
  readonly original: Map<string, Entry>;
}

export class CommandTable {
  readonly #list: CommandList;
  /** The commands of the list that belong to no family. */
  readonly own: readonly CommandSpec[];
  /** Made when somebody asks for more than the slots have: a start does not. */
  #entries: Entries | null = null;
  /** Called before a family is loaded, which may be a plain one (command-family.ts), for what its commands may need. */
  beforeLoading: (isPlain: boolean) => void = () => {};
  #slots: (CommandSpec | null)[] = [];
  #names: Uint8Array[] = [];
  #mask = 0;
  /** Some commands have other names than their own. */
  #renamed = false;

  constructor(list: CommandList) {
    const own: CommandSpec[] = [];
    for (const item of list) if (!isFamily(item)) own.push(new CommandSpec(item));
    this.#list = list;
    this.own = own;
    this.#clear(own.length);
    for (const spec of own) this.#insert(latin1Bytes(spec.name), spec);
  }

  #allEntries(): Entries {
    if (this.#entries === null) {
      this.#entries = this.#newEntries();
      // With room for all commands from now on.
      this.#build();
    }
    return this.#entries;
  }

  #newEntries(): Entries {
    const original = new Map<string, Entry>();
    let count = 0;
    let index = 0;
    for (const item of this.#list) {
      if (isFamily(item)) for (const name of item.names) original.set(name, { spec: null, family: item });
      else original.set(item.name, { spec: this.own[index++], family: null });
      count += isFamily(item) ? item.names.length : 1;
    }
    if (original.size !== count) throw new Error("a command is declared twice");
    return { original, named: new Map(original) };
  }

  /** Number of top-level commands that clients can call. */
  get size(): number {
    return this.#allEntries().named.size;
  }

  /** All top-level commands that clients can call. Loads them. */
  all(): CommandSpec[] {
    return Array.from(this.#allEntries().named.values(), (entry) => this.#specOf(entry));
  }

  /** The top-level commands that are loaded, under whatever name: no other was ever called. */
  loaded(): CommandSpec[] {
    const specs: CommandSpec[] = [];
    for (const { spec } of this.#allEntries().original.values()) if (spec !== null) specs.push(spec);
    return specs;
  }

  /** Loads a family that nobody has asked for yet. False when there is none. */
  loadNext(): boolean {
    for (const { family } of this.#allEntries().original.values()) {
      if (family === null) continue;
      this.#load(family);
      return true;
    }
    return false;
  }

  /** Applies `rename-command from to`; an empty `to` removes the command. Returns an error text or null. */
  rename(from: string, to: string): string | null {
    const { named } = this.#allEntries();
    const entry = named.get(from.toLowerCase());
    if (entry === undefined) return RENAME_UNKNOWN;
    this.#renamed = true;
    named.delete(from.toLowerCase());
    if (to.length > 0) {
      if (named.has(to.toLowerCase())) return RENAME_TARGET_EXISTS;
      named.set(to.toLowerCase(), entry);
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
    const entry = this.#allEntries().named.get(name);
    if (entry === undefined || rest !== undefined) return undefined;
    const spec = this.#specOf(entry);
    return sub === undefined ? spec : spec.subcommands?.get(sub);
  }

  /** The spec of a command's own name (lower case), renamed or not, or undefined. */
  lookupOriginal(name: string): CommandSpec | undefined {
    const entry = this.#allEntries().original.get(name);
    return entry === undefined ? undefined : this.#specOf(entry);
  }

  /** The subcommand of a container by bytes, or null. Slow path: makes a string. */
  findSub(container: CommandSpec, buf: Uint8Array, offset: number, length: number): CommandSpec | null {
    if (length > NAME_MAX) return null;
    return container.subcommands?.get(latin1(buf, offset, length).toLowerCase()) ?? null;
  }

  #findUnloaded(name: string): CommandSpec | null {
    const entry = this.#allEntries().named.get(name);
    return entry === undefined ? null : this.#specOf(entry);
  }

  #specOf(entry: Entry): CommandSpec {
    if (entry.family !== null) this.#load(entry.family);
    return entry.spec as CommandSpec;
  }

  #load(family: CommandFamily): void {
    this.beforeLoading(family.isPlain);
    const literals = family.load();
    if (literals.map(({ name }) => name).join(" ") !== family.names.join(" "))
      throw new Error(`the family of ${family.names[0]} has other commands than its names say`);
    for (const literal of literals) {
      const entry = this.#allEntries().original.get(literal.name) as Entry;
      entry.spec = new CommandSpec(literal);
      entry.family = null;
      if (!this.#renamed) this.#insert(latin1Bytes(literal.name), entry.spec);
    }
    if (this.#renamed) this.#build();
  }

  /** Makes the slots anew. */
  #build(): void {
    const { named } = this.#allEntries();
    this.#clear(named.size);
    for (const [name, { spec }] of named) if (spec !== null) this.#insert(latin1Bytes(name), spec);
  }

  /** Makes empty slots for so many commands. */
  #clear(count: number): void {
    let size = 64;
    while (size < count * 4) size *= 2;
    this.#mask = size - 1;
    this.#slots = new Array(size).fill(null);
    this.#names = new Array(size).fill(NO_NAME);
  }

  #insert(name: Uint8Array, spec: CommandSpec): void {
    let hash = name.length;
    for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name[i]) | 0;
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
