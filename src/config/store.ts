/**
 * The current values of all settings of one server: raw values in slots, names that lead to slots, and the view that the
 * rest of the server reads. Knows nothing of files or CONFIG SET.
 *
 * A slot is made when somebody asks for its setting: a start asks for a tenth of them. Until then the setting has its default value.
 * Invariant: after every method, `values[slot.key]` is the view of `slot.raw`, for every slot.
 */
import type { ConfigHost } from "./host.ts";
import { PERSONALITIES, type Personality } from "./personality.ts";
import { defaultValues } from "./settings/default-values.ts";
import { type AnyRow, Refusal, SettingFlag } from "./settings/setting.ts";
import { allSettings, type ConfigValues, camelCase, type SettingName, settingRow } from "./settings/settings.ts";

/** A setting and its current value. */
export interface Slot {
  readonly row: AnyRow;
  /** Name in the table. */
  readonly tableName: string;
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
  readonly #view: Record<string, unknown>;
  /** The slots that are made, by the names of the table. */
  readonly #slots = new Map<string, Slot>();
  /** Their names: in the order in which they were asked for, or in that of the table when all are there. */
  #names = new Map<string, NameEntry>();
  #isComplete = false;
  readonly #warnings: string[] = [];

  constructor(personality: Personality, host: ConfigHost) {
    this.personality = personality;
    this.host = host;
    this.#view = defaultValues(personality, host);
    // #view has exactly the keys of ConfigValues: both are made from the table.
    this.values = this.#view as ConfigValues;
  }

  /** Whom clients are told they talk to; extended-redis-compatibility makes Valkey answer as Redis. */
  get announced(): Personality {
    return this.values.extendedRedisCompatibility ? PERSONALITIES.redis : this.personality;
  }

  /** All slots, in the order of the table. */
  get slots(): readonly Slot[] {
    return Object.entries(allSettings()).map(([name, row]) => this.#slotOf(name, row));
  }

  /** The slot of a name of the table. */
  #slotOf(tableName: string, row: AnyRow): Slot {
    return this.#slots.get(tableName) ?? this.#addSlot(tableName, row);
  }

  #addSlot(tableName: string, row: AnyRow): Slot {
    const initial = row.type.initial(this.personality, this.host);
    const name = (this.#isRenamed(row) ? row.valkeyName : null) ?? tableName;
    const slot: Slot = { row, tableName, name, key: camelCase(tableName), initial, raw: initial };
    this.#slots.set(tableName, slot);
    this.#addNames(tableName, slot, this.#names);
    return slot;
  }

  #isRenamed(row: AnyRow): boolean {
    return this.personality.name === "valkey" && row.valkeyName !== null;
  }

  #addNames(tableName: string, slot: Slot, names: Map<string, NameEntry>): void {
    const { row } = slot;
    const hidden = isHidden(row, this.personality);
    this.#addName(slot.name, slot, hidden, names);
    if (row.alias !== null) this.#addName(row.alias, slot, hidden, names);
    if (this.#isRenamed(row)) this.#addName(tableName, slot, hidden, names);
    else if (row.valkeyName !== null) this.#addName(row.valkeyName, slot, true, names);
  }

  /** One entry for each name, for ever: CONFIG SET knows by it what it was given twice. */
  #addName(name: string, slot: Slot, hidden: boolean, names: Map<string, NameEntry>): void {
    names.set(name, this.#names.get(name) ?? { name, slot, hidden });
  }

  #allNames(): ReadonlyMap<string, NameEntry> {
    if (!this.#isComplete) {
      const names = new Map<string, NameEntry>();
      for (const slot of this.slots) this.#addNames(slot.tableName, slot, names);
      this.#names = names;
      this.#isComplete = true;
    }
    return this.#names;
  }

  /** The setting with this name or alias, in any case of letters. */
  find(name: string): NameEntry | undefined {
    const lower = name.toLowerCase();
    const row = this.#isComplete || this.#names.has(lower) ? undefined : settingRow(lower);
    if (row !== undefined) this.#slotOf(lower, row);
    return this.#names.get(lower) ?? this.#allNames().get(lower);
  }

  /** The setting with this name of the table. */
  slot(name: SettingName): Slot {
    return this.#slots.get(name) ?? this.#addSlot(name, settingRow(name) as AnyRow);
  }

  /** All names and aliases, in the order of the table. */
  names(): IterableIterator<NameEntry> {
    return this.#allNames().values();
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

  /** The same for all settings, in the order of the table. */
  warnIfAnyNotReady(): void {
    for (const { row } of this.#slots.values()) {
      if (row.ready) continue;
      for (const slot of this.slots) this.warnIfNotReady(slot);
      return;
    }
  }

  /** The lines for the log since the last call, warning level. */
  takeWarnings(): string[] {
    return this.#warnings.splice(0);
  }
}

function isHidden(row: AnyRow, personality: Personality): boolean {
  return (row.flags & SettingFlag.Hidden) !== 0 || (row.only !== null && row.only !== personality.name);
}
