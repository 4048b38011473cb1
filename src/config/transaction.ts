/**
 * CONFIG SET: several settings at once, all or nothing. In order: every name is checked, every value is parsed into its
 * slot, then the apply hooks of the settings that changed run. A failure anywhere puts the old values back and runs again
 * the hooks that have run.
 */

import { splitAtSpaces } from "./line.ts";
import { loadingError } from "./personality.ts";
import { SettingFlag } from "./settings/setting.ts";
import { allowsAction } from "./settings/settings-security.ts";
import type { NameEntry, SettingStore } from "./store.ts";

/** A name and a value, latin1 strings. */
export type Pair = readonly [name: string, value: string];

/**
 * Puts a changed setting into effect; reads the new value from `config.values`. A string refuses the change with that
 * message, "" without one. It may be called again with the old value, and should then not fail.
 */
export type ApplyHook = () => string | null;

/** Hooks by the table's name of their setting, in the order in which they run. A function may serve several settings; it runs once for a change of all of them. */
export type ApplyHooks = ReadonlyMap<string, readonly ApplyHook[]>;

/** What CONFIG SET depends on beside its arguments. */
export interface SetGates {
  /** A data set is being loaded. */
  readonly loading: boolean;
  /** The client is on this host: enable-protected-configs may be "local". */
  readonly clientIsLocal: boolean;
}

function failure(name: string, message: string): string {
  const detail = message === "" ? "" : ` - ${message}`;
  return `ERR CONFIG SET failed (possibly related to argument '${name}')${detail}`;
}

interface Change {
  readonly entry: NameEntry;
  readonly value: string;
  readonly oldRaw: unknown;
  readonly oldText: string;
}

/** Runs CONFIG SET for a store. */
export class SettingTransaction {
  readonly #store: SettingStore;
  readonly #hooks: ApplyHooks;

  constructor(store: SettingStore, hooks: ApplyHooks) {
    this.#store = store;
    this.#hooks = hooks;
  }

  /** Sets all pairs or none. The error as it goes to the client, prefix included, or null. */
  set(pairs: readonly Pair[], gates: SetGates): string | null {
    const changes: Change[] = [];
    for (const [name, value] of pairs) {
      const entry = this.#store.find(name);
      if (entry === undefined) return `ERR Unknown option or number of arguments for CONFIG SET - '${name}'`;
      const error = this.#check(entry, name, changes, gates);
      if (error !== null) return error;
      const { slot } = entry;
      changes.push({ entry, value, oldRaw: slot.raw, oldText: this.#store.text(slot) });
    }
    return this.#assignAll(changes) ?? this.#applyAll(changes);
  }

  #check(entry: NameEntry, name: string, earlier: readonly Change[], gates: SetGates): string | null {
    const { flags } = entry.slot.row;
    if (flags & SettingFlag.Immutable) return failure(name, "can't set immutable config");
    if (flags & SettingFlag.Protected) {
      const allowed = allowsAction(this.#store.values.enableProtectedConfigs, gates.clientIsLocal);
      if (!allowed) return failure(name, "can't set protected config");
    }
    if (gates.loading && flags & SettingFlag.DenyLoading) return loadingError(this.#store.announced);
    // A setting and its alias may stand in one command, as in Redis: the later one wins.
    if (earlier.some((change) => change.entry === entry)) return failure(name, "duplicate parameter");
    return null;
  }

  #assignAll(changes: readonly Change[]): string | null {
    for (let i = 0; i < changes.length; i++) {
      const { entry, value } = changes[i];
      const args = entry.slot.row.type.multiple ? splitAtSpaces(value) : [value];
      const message = this.#store.assign(entry.slot, args, false);
      if (message === null) continue;
      this.#restore(changes.slice(0, i));
      return failure(entry.name, message);
    }
    return null;
  }

  #applyAll(changes: readonly Change[]): string | null {
    const done: ApplyHook[] = [];
    for (const change of changes) {
      if (!this.#isChanged(change)) continue;
      const { entry } = change;
      for (const hook of this.#hooks.get(entry.slot.tableName) ?? []) {
        if (done.includes(hook)) continue;
        done.push(hook);
        const message = hook();
        if (message === null) continue;
        this.#store.warn(
          `Failed applying new configuration. Possibly related to new ${entry.name} setting. Restoring previous settings.`,
        );
        this.#restore(changes);
        this.#applyAgain(done);
        return failure(entry.name, message);
      }
    }
    for (const { entry } of changes) this.#store.warnIfNotReady(entry.slot);
    return null;
  }

  /** Two values may read the same: `A` hides the `n` beside it in notify-keyspace-events. */
  #isChanged({ entry: { slot }, oldRaw, oldText }: Change): boolean {
    if ((slot.row.flags & SettingFlag.Volatile) !== 0 || this.#store.text(slot) !== oldText) return true;
    return typeof slot.raw !== "object" && slot.raw !== oldRaw;
  }

  /** Newest first: a setting named twice, once by its alias, ends with its oldest value. */
  #restore(changes: readonly Change[]): void {
    for (const { entry, oldRaw } of changes.toReversed()) this.#store.restore(entry.slot, oldRaw);
  }

  #applyAgain(hooks: readonly ApplyHook[]): void {
    for (const hook of hooks) {
      const message = hook();
      if (message !== null) this.#store.warn(`Failed applying restored failed CONFIG SET command: ${message}`);
    }
  }
}
