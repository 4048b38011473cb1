/**
 * The table of commands: from the bytes of a name to its spec, without making a string. Open addressing over a hash of the
 * lower-cased name; built once, renames included.
 */
import { latin1, latin1Bytes } from "../base/bytes.ts";
import { type CommandLiteral, CommandSpec } from "./spec.ts";

const NAME_MAX = 64;

/** Messages of rename(). */
export const RENAME_UNKNOWN = "No such command in rename-command";
export const RENAME_TARGET_EXISTS = "Target command name already exists";

export class CommandTable {
  /** All top-level commands by the name that clients use (after rename-command). */
  readonly byName = new Map<string, CommandSpec>();
  /** All commands under their original names: AOF, replication and internal callers use these. */
  readonly original = new Map<string, CommandSpec>();
  #slots: (CommandSpec | null)[] = [];
  #names: Uint8Array[] = [];
  #mask = 0;
  #count = 0;

  constructor(literals: readonly CommandLiteral[]) {
    for (const literal of literals) {
      const spec = new CommandSpec(literal);
      spec.id = this.#count++;
      if (this.original.has(spec.name)) throw new Error(`command ${spec.name} is declared twice`);
      this.original.set(spec.name, spec);
      this.byName.set(spec.name, spec);
      for (const sub of spec.subcommands?.values() ?? []) sub.id = this.#count++;
    }
    this.#build();
  }

  /** Number of specs, subcommands included: ids are below it. */
  get count(): number {
    return this.#count;
  }

  /** Applies `rename-command from to`; an empty `to` removes the command. Returns an error text or null. */
  rename(from: string, to: string): string | null {
    const spec = this.byName.get(from.toLowerCase());
    if (spec === undefined) return RENAME_UNKNOWN;
    this.byName.delete(from.toLowerCase());
    if (to.length > 0) {
      if (this.byName.has(to.toLowerCase())) return RENAME_TARGET_EXISTS;
      this.byName.set(to.toLowerCase(), spec);
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
      if (spec === null) return null;
      if (sameName(this.#names[slot], buf, offset, length)) return spec;
    }
  }

  /** The spec of "name" or "container|sub" in text (any case), or undefined. */
  lookup(fullName: string): CommandSpec | undefined {
    const [name, sub, rest] = fullName.toLowerCase().split("|");
    const spec = this.byName.get(name);
    if (spec === undefined || sub === undefined) return spec;
    return rest === undefined ? spec.subcommands?.get(sub) : undefined;
  }

  /** The subcommand of a container by bytes, or null. Slow path: makes a string. */
  findSub(container: CommandSpec, buf: Uint8Array, offset: number, length: number): CommandSpec | null {
    if (length > NAME_MAX) return null;
    return container.subcommands?.get(latin1(buf, offset, length).toLowerCase()) ?? null;
  }

  #build(): void {
    let size = 64;
    while (size < this.byName.size * 4) size *= 2;
    this.#mask = size - 1;
    this.#slots = new Array(size).fill(null);
    this.#names = new Array(size).fill(new Uint8Array(0));
    for (const [name, spec] of this.byName) {
      const bytes = latin1Bytes(name);
      let hash = bytes.length;
      for (const c of bytes) hash = (Math.imul(hash, 31) + c) | 0;
      let slot = (hash ^ (hash >>> 9)) & this.#mask;
      while (this.#slots[slot] !== null) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = spec;
      this.#names[slot] = bytes;
    }
  }
}

function lower(c: number): number {
  return c >= 65 && c <= 90 ? c | 32 : c;
}

function sameName(name: Uint8Array, buf: Uint8Array, offset: number, length: number): boolean {
  if (name.length !== length) return false;
  for (let i = 0; i < length; i++) if (name[i] !== lower(buf[offset + i])) return false;
  return true;
}
