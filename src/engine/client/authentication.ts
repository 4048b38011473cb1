/**
 * Who may use the server. Users stand by name with the SHA-256 digests of their passwords; `requirepass` is the password of the user "default".
 *
 * A client proves once who it is and stays that user: `client.authenticated`. The bit ClientFlag.Unauthenticated, which the gates look at, follows
 * from it. Invariant: the bit is set exactly when the default user needs a password (or is off) and the client has not authenticated.
 */
import { latin1Bytes } from "../../base/bytes.ts";
import { sha256Hex } from "../../base/sha256.ts";
import type { EngineView } from "../handler-context.ts";
import { type Client, ClientFlag } from "./client.ts";

/** Name of the user that every connection starts as. */
export const DEFAULT_USER = "default";

/** A user. Names and passwords are latin1 ("binary") strings. */
export interface User {
  readonly name: string;
  /** A user that is off cannot authenticate. */
  enabled: boolean;
  /** Any password will do. */
  nopass: boolean;
  /** Lower-case hexadecimal SHA-256 digests of the passwords that are accepted. */
  passwordDigests: string[];
}

export class Authentication {
  readonly #engine: EngineView;
  readonly #users = new Map<string, User>();
  readonly defaultUser: User;

  constructor(engine: EngineView) {
    this.#engine = engine;
    this.defaultUser = { name: DEFAULT_USER, enabled: true, nopass: true, passwordDigests: [] };
    this.#users.set(DEFAULT_USER, this.defaultUser);
    this.applyRequirePass();
  }

  /** The user of a name, or undefined. */
  user(name: string): User | undefined {
    return this.#users.get(name);
  }

  /** True when a new connection may not do anything before it authenticates. */
  get required(): boolean {
    return !this.defaultUser.nopass || !this.defaultUser.enabled;
  }

  /** Puts the setting `requirepass` into effect. Clients that have authenticated stay who they are. */
  applyRequirePass(): void {
    const password = this.#engine.config.values.requirepass;
    this.defaultUser.nopass = password === "";
    this.defaultUser.passwordDigests = password === "" ? [] : [digest(password)];
    for (const client of this.#engine.clients.values()) this.#updateGate(client);
  }

  /** Makes a client what a new connection is: the default user, authenticated exactly when that needs no password. */
  admit(client: Client): void {
    client.user = DEFAULT_USER;
    client.authenticated = !this.required;
    this.#updateGate(client);
  }

  /** Makes a client the user of a name if the password is right; false, and nothing changes, when it is not or the user is off or unknown. */
  authenticate(client: Client, name: string, password: string): boolean {
    const user = this.#users.get(name);
    if (user === undefined || !user.enabled) return false;
    if (!user.nopass && !matches(user, password)) return false;
    client.user = user.name;
    client.authenticated = true;
    this.#updateGate(client);
    return true;
  }

  #updateGate(client: Client): void {
    if (this.required && !client.authenticated) client.set(ClientFlag.Unauthenticated);
    else client.unset(ClientFlag.Unauthenticated);
  }
}

function digest(password: string): string {
  const bytes = latin1Bytes(password);
  return sha256Hex(bytes, 0, bytes.length);
}

/** Compares with every digest to its end, whatever the outcome: time must tell nothing. */
function matches(user: User, password: string): boolean {
  const given = digest(password);
  let found = false;
  for (const expected of user.passwordDigests) {
    let difference = given.length ^ expected.length;
    for (let i = 0; i < expected.length; i++) difference |= given.charCodeAt(i) ^ expected.charCodeAt(i);
    if (difference === 0) found = true;
  }
  return found;
}
