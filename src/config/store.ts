/**
 * The current values of all settings of one server: raw values in slots, names that lead to slots, and the view that the
 * rest of the server reads. Knows nothing of files or CONFIG SET.
 *
 * Invariant: after every method, `values[slot.key]` is the view of `slot.raw`, for every slot.
 */
import type { ConfigHost } from "./host.ts";
import type { Personality } from "./personality.ts";
import { type AnyRow, Refusal, SettingFlag } from "./settings/setting.ts";
import { type ConfigValues, camelCase, SETTINGS, type SettingName } from "./settings/settings.ts";

/** A setting and its current value. */
export interface Slot {
  readonly row: AnyRow;
  /** Name under this personality. */
  readonly name: string;
  /** Name in `ConfigValues`. */
  readonly key: string;
  /** Default value. */
  readonly initial: unknown;
  raw: unknown;
}

/** One name of a setting: its own or an alias. */
export interface NameEntry {
  readonly name: string;
  readonly slot: Slot;
  /** Left out when CONFIG GET is asked with a pattern. */
  readonly hidden: boolean;
}

/** Slots, names and values. */
export class SettingStore {
  readonly personality: Personality;
  readonly host: ConfigHost;
  /** The view. Same shape for the whole life of the server. */
  readonly values: ConfigValues;
  /** All slots, in the order of the table. */
  readonly slots: readonly Slot[];
  readonly #view: Record<string, unknown>;
  readonly #names = new Map<string, NameEntry>();
  readonly #warnings: string[] = [];

  constructor(personality: Personality, host: ConfigHost) {
    this.personality = personality;
    this.host = host;
    this.#view = {};
    const rows: Readonly<Record<string, AnyRow>> = SETTINGS;
    const slots: Slot[] = [];
    for (const name in rows) slots.push(this.#addSlot(name, rows[name]));
    this.slots = slots;
    // #view has exactly the keys of ConfigValues: both are made from SETTINGS.
    this.values = this.#view as ConfigValues;
  }

  #addSlot(tableName: string, row: AnyRow): Slot {
    const initial = row.type.initial(this.personality, this.host);
    const renamed = this.personality.name === "valkey" && row.valkeyName !== null;
    const name = renamed && row.valkeyName !== null ? row.valkeyName : tableName;
    const key = camelCase(tableName);
    const slot: Slot = { row, name, key, initial, raw: initial };
    const hidden = isHidden(row, this.personality);
    this.#addName(name, slot, hidden);
    if (row.alias !== null) this.#addName(row.alias, slot, hidden);
    if (renamed) this.#addName(tableName, slot, hidden);
    else if (row.valkeyName !== null) this.#addName(row.valkeyName, slot, true);
    this.#view[key] = row.type.view(initial);
    return slot;
  }

  #addName(name: string, slot: Slot, hidden: boolean): void {
    this.#names.set(name, { name, slot, hidden });
  }

  /** The setting with this name or alias, in any case of letters. */
  find(name: string): NameEntry | undefined {
    return this.#names.get(name.toLowerCase());
  }

  /** The setting with this name of the table. */
  slot(name: SettingName): Slot {
    const entry = this.#names.get(name);
    if (entry === undefined) throw new Error(`no setting named ${name}`);
    return entry.slot;
  }

  /** All names and aliases, in the order of the table. */
  names(): IterableIterator<NameEntry> {
    return this.#names.values();
  }

  /** The value as CONFIG GET shows it. */
  text(slot: Slot): string {
    return slot.row.type.format(slot.raw);
  }

  /** Does the setting have its default value? */
  isInitial(slot: Slot): boolean {
    return slot.raw === slot.initial || this.text(slot) === slot.row.type.format(slot.initial);
  }

  /** Parses arguments into a slot. Single-argument types get exactly one: the caller has checked. Refusal's message, or null. */
  assign(slot: Slot, args: readonly string[], appending: boolean): string | null {
    const raw = slot.row.type.parse(args, slot.raw, {
      personality: this.personality,
      host: this.host,
      appending,
      warn: (text) => this.warn(text),
    });
    if (raw instanceof Refusal) return raw.message;
    this.#write(slot, raw);
    return null;
  }

  /** Puts back a value that `slot.raw` had before. */
  restore(slot: Slot, raw: unknown): void {
    slot.row.type.restore?.(raw, this.host);
    this.#write(slot, raw);
  }

  #write(slot: Slot, raw: unknown): void {
    slot.raw = raw;
    this.#view[slot.key] = slot.row.type.view(raw);
  }

  /** Keeps a line for the log. */
  warn(text: string): void {
    this.#warnings.push(text);
  }

  /** Says that a setting was changed although nothing reads it yet. */
  warnIfNotReady(slot: Slot): void {
    if (slot.row.ready || this.isInitial(slot)) return;
    this.warn(`The setting '${slot.name}' is accepted but has no effect in this version`);
  }

  /** The lines for the log since the last call, warning level. */
  takeWarnings(): string[] {
    return this.#warnings.splice(0);
  }
}

function isHidden(row: AnyRow, personality: Personality): boolean {
  return (row.flags & SettingFlag.Hidden) !== 0 || (row.only !== null && row.only !== personality.name);
}
