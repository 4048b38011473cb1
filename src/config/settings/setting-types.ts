/**
 * The plain setting types: yes/no, text, one word out of a list, several words out of a list. Numbers are in setting-number.ts.
 *
 * Types of many settings are classes: a start makes all of them, and one object is made faster than one with six functions of its own.
 */
import { untilNul } from "../../base/bytes.ts";
import { quoteArgument } from "../line.ts";
import type { Personality, PersonalityName } from "../personality.ts";
import { type Initial, initialFor, type ParseContext, Refusal, type RewriteLine, type SettingType } from "./setting.ts";

/** A check beyond the type: the message of the refusal, or null. */
export type Check<T> = (value: T, personality: Personality) => string | null;

class YesNoType implements SettingType<boolean, boolean> {
  readonly multiple = false;
  readonly #initial: Initial<boolean>;
  readonly #check: Check<boolean> | null;

  constructor(initial: Initial<boolean>, check: Check<boolean> | null) {
    this.#initial = initial;
    this.#check = check;
  }

  initial(personality: Personality): boolean {
    return initialFor(this.#initial, personality);
  }

  parse(args: readonly string[], _current: boolean, context: ParseContext): boolean | Refusal {
    const word = args[0].toLowerCase();
    if (word !== "yes" && word !== "no") return new Refusal("argument must be 'yes' or 'no'");
    const message = this.#check === null ? null : this.#check(word === "yes", context.personality);
    return message === null ? word === "yes" : new Refusal(message);
  }

  format(raw: boolean): string {
    return raw ? "yes" : "no";
  }

  view(raw: boolean): boolean {
    return raw;
  }

  lines(name: string, raw: boolean, original: boolean): readonly RewriteLine[] {
    return [{ text: `${name} ${this.format(raw)}`, force: raw !== original }];
  }
}

/** yes or no. `check` may refuse a value. */
export function bool(initial: Initial<boolean>, check: Check<boolean> | null = null): SettingType<boolean, boolean> {
  return new YesNoType(initial, check);
}

/** What the kinds of text differ in. */
interface TextTraits {
  /** "" stands for no value: the option is then left out of the config file. */
  readonly emptyIsUnset: boolean;
  /** The value that an argument gives. */
  readonly read: (argument: string) => string;
}

class TextType implements SettingType<string, string> {
  readonly multiple = false;
  readonly #initial: Initial<string>;
  readonly #check: Check<string> | null;
  readonly #traits: TextTraits;

  constructor(initial: Initial<string>, check: Check<string> | null, traits: TextTraits) {
    this.#initial = initial;
    this.#check = check;
    this.#traits = traits;
  }

  initial(personality: Personality): string {
    return initialFor(this.#initial, personality);
  }

  parse(args: readonly string[], _current: string, context: ParseContext): string | Refusal {
    const value = this.#traits.read(args[0]);
    const message = this.#check === null ? null : this.#check(value, context.personality);
    return message === null ? value : new Refusal(message);
  }

  format(raw: string): string {
    return raw;
  }

  view(raw: string): string {
    return raw;
  }

  lines(name: string, raw: string, original: string): readonly RewriteLine[] {
    if (this.#traits.emptyIsUnset && raw === "") return [];
    return [{ text: `${name} ${quoteArgument(raw)}`, force: raw !== original }];
  }
}

const TEXT: TextTraits = { emptyIsUnset: false, read: untilNul };
const OPTIONAL_TEXT: TextTraits = { emptyIsUnset: true, read: untilNul };
const SECRET: TextTraits = { emptyIsUnset: true, read: (argument) => argument };

/** Text for which "" is a value like any other. Ends at the first NUL byte. */
export function text(initial: Initial<string>, check: Check<string> | null = null): SettingType<string, string> {
  return new TextType(initial, check, TEXT);
}

/** Text for which "" means "not set": the option is then left out of the config file. Ends at the first NUL byte. */
export function optionalText(check: Check<string> | null = null): SettingType<string, string> {
  return new TextType("", check, OPTIONAL_TEXT);
}

/** A secret: optional text in which every byte counts, NUL included. */
export function secret(): SettingType<string, string> {
  return new TextType("", null, SECRET);
}

function refuseWord(names: readonly string[]): Refusal {
  return new Refusal(`argument(s) must be one of the following: ${names.join(", ")}`);
}

class WordType<N extends string> implements SettingType<N, N> {
  readonly multiple = false;
  readonly #initial: N;
  readonly #names: readonly N[];
  readonly #synonyms: Partial<Record<N, N>>;
  readonly #only: Partial<Record<N, PersonalityName>>;

  constructor(
    initial: N,
    names: readonly N[],
    synonyms: Partial<Record<N, N>>,
    only: Partial<Record<N, PersonalityName>>,
  ) {
    this.#initial = initial;
    this.#names = names;
    this.#synonyms = synonyms;
    this.#only = only;
  }

  initial(): N {
    return this.#initial;
  }

  parse(args: readonly string[], _current: N, context: ParseContext): N | Refusal {
    const word = args[0].toLowerCase();
    const found = this.#names.find((name) => name === word);
    if (found !== undefined) return this.#synonyms[found] ?? found;
    const { name: personality } = context.personality;
    return refuseWord(this.#names.filter((name) => (this.#only[name] ?? personality) === personality));
  }

  format(raw: N): string {
    return raw;
  }

  view(raw: N): N {
    return raw;
  }

  lines(name: string, raw: N, original: N): readonly RewriteLine[] {
    return [{ text: `${name} ${raw}`, force: raw !== original }];
  }
}

/**
 * One of `names`, in the order in which the error lists them. `synonyms` maps a name to the one it is stored as, which
 * is also the one that CONFIG GET shows. `only` names the personality whose error lists a word; both accept it.
 */
export function enumeration<const N extends string>(
  initial: NoInfer<N>,
  names: readonly N[],
  synonyms: Partial<Record<N, N>> = {},
  only: Partial<Record<N, PersonalityName>> = {},
): SettingType<N, N> {
  return new WordType(initial, names, synonyms, only);
}

/**
 * Any of the words of `bits`, or-ed. The word of value 0 is what CONFIG GET shows when nothing is set. `check` may refuse
 * a combination.
 */
export function wordFlags(
  bits: Readonly<Record<string, number>>,
  check: Check<number> | null = null,
): SettingType<number, number> {
  const names = Object.keys(bits);
  const format = (raw: number): string => {
    const whole = names.find((name) => bits[name] === raw);
    if (whole !== undefined) return whole;
    return names.filter((name) => bits[name] !== 0 && (raw & bits[name]) === bits[name]).join(" ");
  };
  return {
    multiple: true,
    initial: () => 0,
    parse: (args, _current, context) => {
      if (args.length === 0) return refuseWord(names);
      let raw = 0;
      for (const arg of args) {
        const word = arg.toLowerCase();
        if (!Object.hasOwn(bits, word)) return refuseWord(names);
        raw |= bits[word];
      }
      const message = check === null ? null : check(raw, context.personality);
      return message === null ? raw : new Refusal(message);
    },
    format,
    view: (raw) => raw,
    lines: (name, raw, original) => [{ text: `${name} ${format(raw)}`, force: raw !== original }],
  };
}
