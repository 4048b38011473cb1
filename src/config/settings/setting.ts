/**
 * What a setting is. A row joins a name with a type; the type knows how to read arguments, how to print the value for
 * CONFIG GET and how to write it into a config file. Two representations of a value:
 *
 *   raw    what parse() gives and everything else in src/config keeps; exact (integers are bigint)
 *   view   what the rest of the server reads as `config.values.someName`; for hot paths (integers are numbers)
 */
import type { ConfigHost } from "../host.ts";
import type { Personality, PersonalityName } from "../personality.ts";

/** A value that was not accepted, with the reason as clients see it. */
export class Refusal {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

/** What a type may look at while it parses. */
export interface ParseContext {
  readonly personality: Personality;
  readonly host: ConfigHost;
  /** True from the second line of a config file on that names this setting: `save` adds to what is there. */
  readonly appending: boolean;
  /** Adds a line to the log at warning level. */
  readonly warn: (text: string) => void;
}

/** One line for the config file. Unless `force` is set it only replaces a line of the same option that is already there. */
export interface RewriteLine {
  readonly text: string;
  readonly force: boolean;
}

/** What a type may look at while it writes lines. */
export interface RewriteContext {
  readonly host: ConfigHost;
  readonly clusterEnabled: boolean;
}

/** Behaviour of all settings of one type. Methods are pure, except that `dir` changes the working directory. */
export interface SettingType<R, V> {
  /** Does CONFIG SET split the value at spaces, and does a config line take any number of arguments? */
  readonly multiple: boolean;
  initial(personality: Personality, host: ConfigHost): R;
  parse(args: readonly string[], current: R, context: ParseContext): R | Refusal;
  /** Undoes what parse() did outside of the configuration, when a change is rolled back to `raw`. */
  restore?(raw: R, host: ConfigHost): void;
  /** The answer of CONFIG GET. */
  format(raw: R): string;
  view(raw: R): V;
  /** Lines that set `name` to this value again; none when the option must be absent. */
  lines(name: string, raw: R, initial: R, context: RewriteContext): readonly RewriteLine[];
}

/** Properties of a row, to be or-ed. */
export const SettingFlag = {
  /** CONFIG SET refuses it. */
  Immutable: 1,
  /** CONFIG GET shows it by its exact name only. */
  Hidden: 2,
  /** CONFIG SET needs enable-protected-configs. */
  Protected: 4,
  /** Its value is worth showing in a crash report. */
  Debug: 8,
  /** Its value must not appear in logs, slow log or MONITOR. */
  Sensitive: 16,
  /** CONFIG SET refuses it while a data set is loading. */
  DenyLoading: 32,
  /** Setting it to the same value applies it again: the value is a file name and the file may have changed. */
  Volatile: 64,
} as const;

/** Everything about a row that is not its type and not its description. */
export interface RowOptions {
  /** A second name, equal in every respect. */
  readonly alias?: string;
  /** Or-ed `SettingFlag` values. */
  readonly flags?: number;
  /** False while the feature behind the setting does not exist: the value is kept and a warning is logged. Default true. */
  readonly ready?: boolean;
  /** The personality that has this setting. The other one still accepts it, but treats it as hidden. */
  readonly only?: PersonalityName;
  /** Valkey's name when it differs. Redis' name is then Valkey's alias, and Redis accepts Valkey's name silently. */
  readonly valkeyName?: string;
}

/** One line of the table of settings. */
export interface Row<R, V> {
  readonly type: SettingType<R, V>;
  /** One sentence about what the setting does. */
  readonly doc: string;
  readonly alias: string | null;
  readonly flags: number;
  readonly ready: boolean;
  readonly only: PersonalityName | null;
  readonly valkeyName: string | null;
}

/** A row of any type. */
export type AnyRow = Row<unknown, unknown>;

/** Makes a row. */
export function row<R, V>(type: SettingType<R, V>, doc: string, options: RowOptions = {}): Row<R, V> {
  return {
    type,
    doc,
    alias: options.alias ?? null,
    flags: options.flags ?? 0,
    ready: options.ready ?? true,
    only: options.only ?? null,
    valkeyName: options.valkeyName ?? null,
  };
}

/** A default that both personalities share, or one each. */
export type Initial<T> = T | { readonly redis: T; readonly valkey: T };

/** The default for one personality. */
export function initialFor<T extends string | number | boolean | bigint>(
  initial: Initial<T>,
  personality: Personality,
): T {
  return typeof initial === "object" ? initial[personality.name] : initial;
}
