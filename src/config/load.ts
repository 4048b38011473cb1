/**
 * Reading configuration text: one directive a line, "#" comments, later lines win. A directive is a setting, or one of the
 * few that exist in files only: include, user, rename-command, loadmodule, sentinel, and names with a dot (of modules).
 */
import type { ReadResult } from "./host.ts";
import { splitArguments, trimLine } from "./line.ts";
import { RETIRED_DIRECTIVES } from "./settings/settings.ts";
import type { NameEntry, SettingStore, Slot } from "./store.ts";

/** How deep `include` may nest; a file that includes itself ends here. */
const INCLUDE_DEPTH_MAX = 32;

/** Why a configuration was refused. Messages are latin1 strings without a newline. */
export type LoadError =
  /** A line. `lineNumber` counts from 1 in the text the line stands in: an included file has its own count. */
  | { readonly kind: "line"; readonly lineNumber: number; readonly line: string; readonly message: string }
  /** All lines are fine, but not together. */
  | { readonly kind: "whole"; readonly message: string }
  /** A file could not be read. */
  | { readonly kind: "file"; readonly path: string; readonly message: string };

/** Directives that have no value to keep; each can have a handler. */
export type FileDirective = "user" | "rename-command" | "loadmodule" | "sentinel" | "module-setting";

/**
 * Looks at a directive while the file is read: all arguments, the directive's own name first. A string refuses the line
 * with that message.
 */
export type DirectiveHandler = (args: readonly string[]) => string | null;

/** Reads texts into a store; one per server, since "the first save line" is counted over everything that is loaded. */
export class ConfigLoader {
  /** Arguments after `user`, one entry a line: the name, then the rules. */
  readonly users: string[][] = [];
  /** `rename-command` lines: old name, new name ("" removes the command). */
  readonly renames: (readonly [string, string])[] = [];
  /** `loadmodule` lines: path, then arguments. */
  readonly modules: string[][] = [];
  /** Settings of modules, last value of each name; several arguments are joined by spaces. */
  readonly moduleSettings = new Map<string, string>();
  readonly #store: SettingStore;
  readonly #handlers = new Map<FileDirective, DirectiveHandler>();
  readonly #seen = new Set<Slot>();
  #depth = 0;

  constructor(store: SettingStore) {
    this.#store = store;
  }

  /** Sets the handler of a directive. */
  handle(directive: FileDirective, handler: DirectiveHandler): void {
    this.#handlers.set(directive, handler);
  }

  /** Reads a file, or all files that match when the path is a pattern, then `more` as if it stood at the end. */
  loadFile(path: string, more: string): LoadError | null {
    const parts: string[] = [];
    const isPattern = /[*?[]/.test(path);
    for (const file of isPattern ? this.#store.host.glob(path) : [path]) {
      const content: ReadResult = this.#store.host.readFile(file);
      if ("error" in content) return { kind: "file", path: file, message: content.error };
      parts.push(content.text);
    }
    return this.loadText(parts.join("") + more);
  }

  /** Reads a text and checks the whole. */
  loadText(text: string): LoadError | null {
    const lines = text.split("\n");
    for (let i = 0; i < lines.length; i++) {
      const line = trimLine(lines[i]);
      const error = this.#loadLine(line);
      if (typeof error === "string") return { kind: "line", lineNumber: i + 1, line, message: error };
      if (error !== null) return error;
    }
    return this.#checkWhole();
  }

  #loadLine(line: string): string | LoadError | null {
    if (line === "" || line.startsWith("#")) return null;
    const args = splitArguments(line);
    if (args === null) return "Unbalanced quotes in configuration line";
    if (args.length === 0) return null;
    args[0] = args[0].toLowerCase();
    const entry = this.#store.find(args[0]);
    if (entry !== undefined) return this.#loadSetting(entry, args);
    if (RETIRED_DIRECTIVES.has(args[0]) && args.length === 2) return null;
    if (args[0] === "include" && args.length === 2) return this.#include(args[1]);
    return this.#loadDirective(args);
  }

  #loadSetting(entry: NameEntry, args: readonly string[]): string | null {
    const { slot } = entry;
    let rest: readonly string[] = args.slice(1);
    if (!slot.row.type.multiple && rest.length !== 1) return "wrong number of arguments";
    // "900 1" in one pair of quotes is two arguments.
    if (slot.row.type.multiple && rest.length === 1 && rest[0] !== "") rest = splitArguments(rest[0]) ?? [];
    const message = this.#store.assign(slot, rest, this.#seen.has(slot));
    if (message === null) this.#seen.add(slot);
    return message;
  }

  #include(path: string): string | LoadError | null {
    if (this.#depth >= INCLUDE_DEPTH_MAX) return "Too many nested include directives";
    this.#depth++;
    const error = this.loadFile(path, "");
    this.#depth--;
    return error;
  }

  #loadDirective(args: readonly string[]): string | null {
    const [name, ...rest] = args;
    if (name === "rename-command" && rest.length === 2) {
      this.renames.push([rest[0], rest[1]]);
      return this.#ask("rename-command", args);
    }
    if (name === "user" && rest.length >= 1) return this.#loadUser(args, rest);
    if (name === "loadmodule" && rest.length >= 1) {
      this.modules.push(rest);
      return this.#ask("loadmodule", args);
    }
    if (name.includes(".")) {
      if (rest.length === 0) return "Module config specified without value";
      this.moduleSettings.set(name, rest.join(" "));
      return this.#ask("module-setting", args);
    }
    // A lone "sentinel" comes from --sentinel, which the command line has already acted on.
    if (name === "sentinel") {
      if (rest.length === 0 || this.#handlers.has("sentinel")) return this.#ask("sentinel", args);
      return "sentinel directive while not in sentinel mode";
    }
    return "Bad directive or wrong number of arguments";
  }

  #loadUser(args: readonly string[], rest: string[]): string | null {
    const name = rest[0];
    if (this.users.some((user) => user[0] === name)) {
      return `Error in user declaration '${name}': Duplicate user found. A user can only be defined once in config files`;
    }
    this.users.push(rest);
    if (!this.#handlers.has("user")) {
      this.#store.warn(
        `The user '${name}' is accepted but has no effect in this version: requirepass is all that guards`,
      );
    }
    return this.#ask("user", args);
  }

  #ask(directive: FileDirective, args: readonly string[]): string | null {
    return this.#handlers.get(directive)?.(args) ?? null;
  }

  #checkWhole(): LoadError | null {
    const store = this.#store;
    const { logfile, clusterEnabled, replicaof, databases } = store.values;
    if (logfile !== "") {
      const error = store.host.tryAppend(logfile);
      if (error !== null) return { kind: "whole", message: `Can't open the log file: ${error}` };
    }
    if (!clusterEnabled) return null;
    if (replicaof !== null) return { kind: "whole", message: "replicaof directive not allowed in cluster mode" };
    if (databases > 1) {
      store.warn(`WARNING: Changing databases number from ${databases} to 1 since we are in cluster mode`);
      store.assign(store.slot("databases"), ["1"], false);
    }
    return null;
  }
}
