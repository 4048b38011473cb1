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
  /** They need keys and settings of a server, and neither its files nor other servers. */
  readonly isPlain: boolean;
}

/** All that a server knows, in the order in which it lists them. */
export type CommandList = ReadonlyArray<CommandLiteral | CommandFamily>;

/** A family from its names, with a space between two. */
export function family(names: string, load: () => readonly CommandLiteral[]): CommandFamily {
  return { names: names.split(" "), load, isPlain: false };
}

/** A family whose commands need keys and settings of a server, and neither its files nor other servers. */
export function plainFamily(names: string, load: () => readonly CommandLiteral[]): CommandFamily {
  return { names: names.split(" "), load, isPlain: true };
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
