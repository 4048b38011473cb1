/**
 * The configuration of one server: what main.ts loads, what CONFIG changes, what everybody reads.
 *
 *   const config = new Config({ personality: PERSONALITIES.redis });
 *   const error = config.load({ file: "/etc/redis.conf", stdin: false, options: "port 7000\n" });
 *   config.values.maxmemory                                     // number, a plain field
 *   config.onApply("maxmemory", () => evictIfNeeded());         // runs after CONFIG SET changed it
 *   config.set([["maxmemory", "1gb"]], gates)                   // null, or the error reply
 *
 * All strings, in and out, are latin1 ("binary") strings: one character a byte.
 */
import { latin1Bytes } from "../base/bytes.ts";
import { globMatch } from "../base/glob.ts";
import { type ConfigHost, osHost } from "./host.ts";
import { splitAtSpaces } from "./line.ts";
import { ConfigLoader, type DirectiveHandler, type FileDirective, type LoadError } from "./load.ts";
import type { Personality } from "./personality.ts";
import type { LineProvider } from "./rewrite.ts";
import { SettingFlag } from "./settings/setting.ts";
import type { ConfigValues, SettingName } from "./settings/settings.ts";
import { type NameEntry, SettingStore, type Slot } from "./store.ts";
import type { ApplyHook, Pair, SetGates } from "./transaction.ts";

/** Where a configuration comes from; later sources win: file, then standard input, then options. */
export interface ConfigSources {
  /** Absolute path of the config file, or null. */
  readonly file: string | null;
  /** Read standard input too. */
  readonly stdin: boolean;
  /** Lines made from the command line (see argv.ts). */
  readonly options: string;
}

/** The configuration of one server. */
export class Config {
  readonly personality: Personality;
  /** All values, for reading. The object never changes its shape; fields change when a setting does. */
  readonly values: ConfigValues;
  /** Absolute path of the config file, which CONFIG REWRITE writes; null when there is none. `load` sets it. */
  configFile: string | null = null;
  readonly #store: SettingStore;
  readonly #loader: ConfigLoader;
  readonly #hooks = new Map<string, ApplyHook[]>();
  readonly #lineProviders = new Map<string, LineProvider>();

  /** A configuration with the defaults of `personality`. `host` is the real system unless a test brings its own. */
  constructor(options: { readonly personality: Personality; readonly host?: ConfigHost }) {
    this.personality = options.personality;
    this.#store = new SettingStore(options.personality, options.host ?? osHost);
    this.#loader = new ConfigLoader(this.#store);
    this.values = this.#store.values;
  }

  /** Whose names replies and errors carry: the personality, or Redis while extended-redis-compatibility asks for it. */
  get announced(): Personality {
    return this.#store.announced;
  }

  /** `user` lines of the files: name first, then rules. */
  get users(): readonly (readonly string[])[] {
    return this.#loader.users;
  }

  /** `rename-command` lines of the files: [old, new], in order; an empty new name removes the command. */
  get renamedCommands(): readonly (readonly [string, string])[] {
    return this.#loader.renames;
  }

  /** `loadmodule` lines of the files: path first, then arguments. */
  get modules(): readonly (readonly string[])[] {
    return this.#loader.modules;
  }

  /** Directives with a dot in their name, which are settings of modules. */
  get moduleSettings(): ReadonlyMap<string, string> {
    return this.#loader.moduleSettings;
  }

  /** Loads from all sources, once, at start. On an error the configuration is half loaded and the server must not start. */
  load(sources: ConfigSources): LoadError | null {
    this.configFile = sources.file;
    let more = "";
    if (sources.stdin) {
      const input = this.#store.host.readStdin();
      if ("error" in input) return { kind: "file", path: "-", message: input.error };
      more = input.text;
    }
    more += `\n${sources.options}`;
    const { file } = sources;
    return this.#finish(file === null ? this.#loader.loadText(more) : this.#loader.loadFile(file, more));
  }

  /** Loads lines of config text. */
  loadText(text: string): LoadError | null {
    return this.#finish(this.#loader.loadText(text));
  }

  /** Loads a file and makes it the one that CONFIG REWRITE writes. */
  loadFile(path: string): LoadError | null {
    return this.load({ file: path, stdin: false, options: "" });
  }

  #finish(error: LoadError | null): LoadError | null {
    if (error === null) this.#store.warnIfAnyNotReady();
    return error;
  }

  /**
   * Looks at `user`, `rename-command`, `loadmodule` or module lines while they are loaded, and may refuse them. To be set
   * before loading. Without a handler the lines are only collected. A handler for `sentinel` switches such lines on.
   */
  onDirective(directive: FileDirective, handler: DirectiveHandler): void {
    this.#loader.handle(directive, handler);
  }

  /** Lines for the log at warning level, from loading or the last change; each is given out once. */
  takeWarnings(): string[] {
    return this.#store.takeWarnings();
  }

  /** The value of one setting as CONFIG GET shows it. */
  text(name: SettingName): string {
    return this.#store.text(this.#store.slot(name));
  }

  /**
   * CONFIG GET: names and values that match any of the patterns, each name once, in the order found. A pattern without
   * `*`, `?` and `[` is a name: it also finds hidden settings, and it comes back as it was spelled.
   */
  get(patterns: readonly string[]): Pair[] {
    const found = new Map<string, readonly [string, Slot]>();
    for (const pattern of patterns) {
      if (!/[*?[]/.test(pattern)) {
        const entry = this.#store.find(pattern);
        if (entry !== undefined && !found.has(entry.name)) found.set(entry.name, [pattern, entry.slot]);
        continue;
      }
      const bytes = latin1Bytes(pattern);
      for (const entry of this.#store.names()) {
        if (entry.hidden || found.has(entry.name) || !nameMatches(bytes, entry)) continue;
        found.set(entry.name, [entry.name, entry.slot]);
      }
    }
    return Array.from(found.values(), ([name, slot]) => [name, this.#store.text(slot)] as const);
  }

  /**
   * CONFIG SET: all pairs or none. Null, or the whole error reply without its "-", LOADING included. Log lines may be
   * waiting in `takeWarnings` afterwards, whatever the result.
   */
  set(pairs: readonly Pair[], gates: SetGates): string | null {
    const { SettingTransaction } = require("./transaction.ts") as typeof import("./transaction.ts");
    return new SettingTransaction(this.#store, this.#hooks).set(pairs, gates);
  }

  /**
   * Changes a setting from inside the server (REPLICAOF changes `replicaof`): no gates, no hooks. `value` is spelled as
   * for CONFIG SET. The refusal's message, or null.
   */
  assign(name: SettingName, value: string): string | null {
    const slot = this.#store.slot(name);
    const args = slot.row.type.multiple ? splitAtSpaces(value) : [value];
    return this.#store.assign(slot, args, false);
  }

  /** Calls `hook` after CONFIG SET changed any of `names`; once when it changed several of them together. */
  onApply(names: SettingName | readonly SettingName[], hook: ApplyHook): void {
    for (const name of typeof names === "string" ? [names] : names) {
      const hooks = this.#hooks.get(name);
      if (hooks === undefined) this.#hooks.set(name, [hook]);
      else hooks.push(hook);
    }
  }

  /** Must the value given to this setting be kept out of the slow log, MONITOR and the log? False for unknown names. */
  isSensitive(name: string): boolean {
    const entry = this.#store.find(name);
    return entry !== undefined && (entry.slot.row.flags & SettingFlag.Sensitive) !== 0;
  }

  /** Lets the owner of a directive that is not a setting give its lines to CONFIG REWRITE: `onRewrite("user", ...)`. */
  onRewrite(directive: string, provider: LineProvider): void {
    this.#lineProviders.set(directive, provider);
  }

  /** CONFIG REWRITE; `forceAll` writes every setting, default or not. The error reply without its "-", or null. */
  rewrite(forceAll = false): string | null {
    if (this.configFile === null) return "ERR The server is running without a config file";
    const { host } = this.#store;
    const old = host.readFile(this.configFile);
    if ("error" in old && !old.missing) return this.#rewriteFailed(old.error);
    const text = rewriting().rewriteText(this.#store, "error" in old ? "" : old.text, forceAll, this.#lineProviders);
    const error = host.replaceFile(this.configFile, text);
    return error === null ? null : this.#rewriteFailed(error);
  }

  #rewriteFailed(error: string): string {
    this.#store.warn(`CONFIG REWRITE failed: ${error}`);
    return `ERR Rewriting config file: ${error}`;
  }

  /** The settings that matter to somebody who reads a crash report, as config lines. */
  crashReportLines(): string {
    return rewriting().describeSettings(this.#store, SettingFlag.Debug);
  }
}

/** Loaded when it is wanted: by no start. */
function rewriting(): typeof import("./rewrite.ts") {
  return require("./rewrite.ts") as typeof import("./rewrite.ts");
}

function nameMatches(pattern: Uint8Array, entry: NameEntry): boolean {
  return globMatch(pattern, 0, pattern.length, latin1Bytes(entry.name), 0, entry.name.length, true);
}

/**
 * What to print for a configuration that was refused. For a "file" error it is one line for the log, else several lines
 * for standard error.
 */
export function loadErrorText(error: LoadError, personality: Personality): string {
  if (error.kind === "file") return `Fatal error, can't open config file '${error.path}': ${error.message}`;
  const place =
    error.kind === "line" ? `Reading the configuration file, at line ${error.lineNumber}\n>>> '${error.line}'\n` : "";
  return `\n*** FATAL CONFIG FILE ERROR (${personality.configErrorTag}) ***\n${place}${error.message}\n`;
}
