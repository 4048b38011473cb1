/** What a section of INFO is: a table of fields, or lines that come and go. */
import type { PersonalityName } from "../../config/personality.ts";
import type { Engine } from "../../engine/engine.ts";
import type { InfoValue } from "../../engine/statistics/info.ts";

/** Writes one line of a section. */
export type InfoLine = (field: string, value: InfoValue) => void;

/**
 * A field: its name, how its value is found while no source answers for it (see engine/statistics/info.ts), and when it is shown, if not always: under one personality
 * or when a test says so.
 */
export type InfoField = readonly [
  name: string,
  value: InfoValue | ((engine: Engine) => InfoValue),
  when?: PersonalityName | ((engine: Engine) => boolean),
];

/** A section. */
export interface InfoSection {
  /** Names by which it is asked for, in lower case. */
  readonly names: readonly string[];
  readonly title: string;
  /** Part of what INFO shows when it is asked for nothing in particular; "hidden": not even part of INFO all. */
  readonly shown: "default" | "all" | "hidden";
  readonly fields?: readonly InfoField[];
  /** Lines behind the fields. */
  readonly lines?: (engine: Engine, line: InfoLine) => void;
}

/** A number with two decimals. */
export function fixed2(value: number): string {
  return value.toFixed(2);
}

/** `part` of `whole` with two decimals; 0.00 of nothing. */
export function ratio(part: number, whole: number): string {
  return fixed2(whole === 0 ? 0 : part / whole);
}

const UNITS = ["K", "M", "G", "T", "P"];

/** Bytes for people: 512B, 1.50K, 3.00G. */
export function humanBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return fixed2(value) + UNITS[unit];
}

/** A name without the characters that would break a line of INFO. */
export function safeName(name: string): string {
  return name.replace(/[#:\n\r]/g, "_");
}
