/** The plain setting types: yes/no, text, one word out of a list, several words out of a list. Numbers are in setting-number.ts. */
import { untilNul } from "../base/bytes.ts";
import { quoteArgument } from "./line.ts";
import type { Personality, PersonalityName } from "./personality.ts";
import { type Initial, initialFor, Refusal, type SettingType } from "./setting.ts";

/** A check beyond the type: the message of the refusal, or null. */
export type Check<T> = (value: T, personality: Personality) => string | null;

/** yes or no. `check` may refuse a value. */
export function bool(initial: Initial<boolean>, check: Check<boolean> | null = null): SettingType<boolean, boolean> {
  const format = (raw: boolean): string => (raw ? "yes" : "no");
  return {
    multiple: false,
    initial: (personality) => initialFor(initial, personality),
    parse: (args, _current, context) => {
      const word = args[0].toLowerCase();
      if (word !== "yes" && word !== "no") return new Refusal("argument must be 'yes' or 'no'");
      const message = check === null ? null : check(word === "yes", context.personality);
      return message === null ? word === "yes" : new Refusal(message);
    },
    format,
    view: (raw) => raw,
    lines: (name, raw, original) => [{ text: `${name} ${format(raw)}`, force: raw !== original }],
  };
}

function textType(
  initial: Initial<string>,
  check: Check<string> | null,
  emptyIsUnset: boolean,
  read: (argument: string) => string,
): SettingType<string, string> {
  return {
    multiple: false,
    initial: (personality) => initialFor(initial, personality),
    parse: (args, _current, context) => {
      const value = read(args[0]);
      const message = check === null ? null : check(value, context.personality);
      return message === null ? value : new Refusal(message);
    },
    format: (raw) => raw,
    view: (raw) => raw,
    lines: (name, raw, original) => {
      if (emptyIsUnset && raw === "") return [];
      return [{ text: `${name} ${quoteArgument(raw)}`, force: raw !== original }];
    },
  };
}

/** Text for which "" is a value like any other. Ends at the first NUL byte. */
export function text(initial: Initial<string>, check: Check<string> | null = null): SettingType<string, string> {
  return textType(initial, check, false, untilNul);
}

/** Text for which "" means "not set": the option is then left out of the config file. Ends at the first NUL byte. */
export function optionalText(check: Check<string> | null = null): SettingType<string, string> {
  return textType("", check, true, untilNul);
}

/** A secret: optional text in which every byte counts, NUL included. */
export function secret(): SettingType<string, string> {
  return textType("", null, true, (argument) => argument);
}

function refuseWord(names: readonly string[]): Refusal {
  return new Refusal(`argument(s) must be one of the following: ${names.join(", ")}`);
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
  return {
    multiple: false,
    initial: () => initial,
    parse: (args, _current, context) => {
      const word = args[0].toLowerCase();
      const found = names.find((name) => name === word);
      if (found !== undefined) return synonyms[found] ?? found;
      return refuseWord(names.filter((name) => only[name] === undefined || only[name] === context.personality.name));
    },
    format: (raw) => raw,
    view: (raw) => raw,
    lines: (name, raw, original) => [{ text: `${name} ${raw}`, force: raw !== original }],
  };
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
