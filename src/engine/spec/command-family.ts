/**
 * Commands whose code is loaded when the first of them is wanted: a start that reads all of it would take half as long again.
 *
 * Invariant: loading is synchronous and changes nothing that a client could see, so that commands of a pipeline keep their order.
 */
import type { CommandLiteral } from "./spec.ts";

export interface CommandFamily {
  /** Names of its commands. */
  readonly names: readonly string[];
  /** Their literals, in the order of the names. */
  readonly load: () => readonly CommandLiteral[];
  /** They work on keys: databases are all that they need of a server. */
  readonly needsKeysOnly: boolean;
}

/** All that a server knows, in the order in which it lists them. */
export type CommandList = ReadonlyArray<CommandLiteral | CommandFamily>;

/** A family from its names, with a space between two. */
export function family(names: string, load: () => readonly CommandLiteral[]): CommandFamily {
  return { names: names.split(" "), load, needsKeysOnly: false };
}

/** A family whose commands work on keys and need nothing else of a server. */
export function keyFamily(names: string, load: () => readonly CommandLiteral[]): CommandFamily {
  return { names: names.split(" "), load, needsKeysOnly: true };
}

export function isFamily(item: CommandLiteral | CommandFamily): item is CommandFamily {
  return "load" in item;
}

/** The names of all commands. Loads nothing. */
export function commandNames(list: CommandList): string[] {
  return list.flatMap((item) => (isFamily(item) ? item.names : [item.name]));
}

/** All commands. Loads them. */
export function allLiterals(list: CommandList): CommandLiteral[] {
  return list.flatMap((item) => (isFamily(item) ? item.load() : [item]));
}
