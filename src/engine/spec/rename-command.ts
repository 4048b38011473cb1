/**
 * `rename-command old new`: the lines are checked while the configuration is read, when there is no table yet, so that an error names its line;
 * and applied when there is one.
 */
import type { Config } from "../../config/config.ts";
import type { DirectiveHandler } from "../../config/load.ts";
import { type CommandList, commandNames } from "./command-family.ts";
import { type CommandTable, RENAME_TARGET_EXISTS, RENAME_UNKNOWN } from "./command-table.ts";

/** Checks lines one after the other, as each changes what names there are: to be given to Config.onDirective before loading. */
export function renameDirective(commands: CommandList): DirectiveHandler {
  let names: Set<string> | null = null;
  return ([, from, to]) => {
    names ??= new Set(commandNames(commands));
    if (!names.delete(from.toLowerCase())) return RENAME_UNKNOWN;
    if (to === "") return null;
    if (names.has(to.toLowerCase())) return RENAME_TARGET_EXISTS;
    names.add(to.toLowerCase());
    return null;
  };
}

/** Renames and removes commands as the configuration says. Returns the message of the first line that does not work, or null. */
export function applyRenames(table: CommandTable, config: Config): string | null {
  for (const [from, to] of config.renamedCommands) {
    const error = table.rename(from, to);
    if (error !== null) return error;
  }
  return null;
}
