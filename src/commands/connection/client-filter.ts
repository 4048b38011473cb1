/**
 * The filters of CLIENT LIST and CLIENT KILL: words with values that narrow the clients down, all of which must hold. Most have a negated twin (NOT-TYPE).
 *
 * ID takes several numbers. SKIPME says whether the client that asks is left out.
 */
import { untilNul } from "../../base/bytes.ts";
import { parseInt64 } from "../../base/int64.ts";
import type { Client } from "../../engine/client/client.ts";
import {
  clientAgeSeconds,
  clientFlagLetters,
  clientIdleSeconds,
  clientType,
  clientTypeNamed,
} from "../../engine/client/client-list.ts";
import type { Context } from "../../engine/context.ts";
import { ReplyError, SYNTAX } from "../../resp/errors.ts";

type Predicate = (client: Client) => boolean;

/** Makes a predicate of the value in argument `i`; `word` is the filter's name as errors show it. Throws on a value that cannot be. */
type FilterKind = (cx: Context, i: number, word: string) => Predicate;

const FLAG_LETTERS = /^[OSMPxbtRBdcuAUreTNIiE]*$/;

/** A filter by text: equal to the value. */
function byText(of: (client: Client) => string): FilterKind {
  return (cx, i) => {
    const text = cx.text(i);
    return (client) => of(client) === text;
  };
}

/** A filter by seconds: at least the value. */
function bySeconds(of: (client: Client, nowMs: number) => number): FilterKind {
  return (cx, i, word) => {
    const seconds = cx.bigInteger(i, new ReplyError(`ERR ${word} is not an integer or out of range`));
    if (seconds <= 0n) throw new ReplyError(`ERR ${word} should be greater than 0`);
    const nowMs = cx.engine.nowMs();
    return (client) => of(client, nowMs) >= seconds;
  };
}

/** A filter by letters, all of which a client must have. */
function byLetters(what: string, known: RegExp, of: (client: Client) => string): FilterKind {
  return (cx, i, word) => {
    const letters = cx.text(i);
    const place = word.startsWith("not-") ? word.toUpperCase() : "provided";
    if (!known.test(letters))
      throw new ReplyError(`ERR Unknown ${what} found in the ${place} filter: ${untilNul(letters)}`);
    return (client) => [...letters].every((letter) => of(client).includes(letter));
  };
}

function byType(cx: Context, i: number): Predicate {
  const type = clientTypeNamed(cx.text(i));
  if (type === null) throw new ReplyError(`ERR Unknown client type '${untilNul(cx.text(i))}'`);
  return (client) => clientType(client) === type;
}

function byUser(cx: Context, i: number): Predicate {
  const name = cx.text(i);
  if (cx.engine.authentication.user(name) === undefined) throw new ReplyError(`ERR No such user '${untilNul(name)}'`);
  return (client) => client.user === name;
}

function byDatabase(cx: Context, i: number, word: string): Predicate {
  const subject = word.toUpperCase();
  const id = cx.bigInteger(i, new ReplyError(`ERR ${subject} is not an integer or out of range`));
  const count = cx.engine.keyspace.databases.length;
  if (id < 0n || id >= count) throw new ReplyError(`ERR ${subject} number should be between 0 and ${count - 1}`);
  return (client) => client.db.id === Number(id);
}

/** The address without its port, and without the brackets of IPv6. */
function hostOf(client: Client): string {
  const { address } = client.link;
  return address.slice(0, address.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
}

const KINDS: Readonly<Record<string, FilterKind>> = {
  type: byType,
  user: byUser,
  addr: byText((client) => client.link.address),
  laddr: byText((client) => client.link.localAddress),
  ip: byText(hostOf),
  name: byText((client) => client.name),
  "lib-name": byText((client) => client.libName),
  "lib-ver": byText((client) => client.libVersion),
  flags: byLetters("flags", FLAG_LETTERS, clientFlagLetters),
  capa: byLetters("capa", /^r*$/, (client) => (client.redirects ? "r" : "")),
  db: byDatabase,
  maxage: bySeconds(clientAgeSeconds),
  idle: bySeconds(clientIdleSeconds),
};

/** These have no negated twin. */
const ONE_SIDED = new Set(["maxage", "idle"]);

/** What a list of filters asks for. */
export class ClientFilter {
  readonly #predicates: Predicate[] = [];
  /** The values of ID, in the order given; null without ID. */
  ids: number[] | null = null;
  /** Leave out the client that asks? */
  skipMe: boolean;

  constructor(skipMe: boolean) {
    this.skipMe = skipMe;
  }

  add(predicate: Predicate): void {
    this.#predicates.push(predicate);
  }

  /** True when all filters let the client through; `me` is the client that asks. */
  matches(client: Client, me: Client): boolean {
    if (this.skipMe && client === me) return false;
    return this.#predicates.every((predicate) => predicate(client));
  }
}

/** How a command wants ID's values checked. */
export interface IdErrors {
  /** For a first value that is no number. */
  readonly notANumber: ReplyError;
  /** For a later value that is neither a number nor a filter's name; null: it ends the list, and is then what follows it. */
  readonly laterNotANumber: ReplyError | null;
  /** For numbers below 1; null: they are merely nobody's. */
  readonly notPositive: ReplyError | null;
}

/** Parses the filters from argument `from` to the last. */
export function parseClientFilter(cx: Context, from: number, skipMe: boolean, idErrors: IdErrors): ClientFilter {
  const filter = new ClientFilter(skipMe);
  let i = from;
  while (i < cx.argc) {
    const word = cx.text(i).toLowerCase();
    const positive = word.startsWith("not-") ? word.slice(4) : word;
    if (i + 1 >= cx.argc) throw SYNTAX;
    if (positive === "id") {
      i = parseIds(cx, i + 1, filter, positive !== word, idErrors);
      continue;
    }
    if (word === "skipme") {
      filter.skipMe = yesOrNo(cx, i + 1);
    } else {
      const known = Object.hasOwn(KINDS, positive) && (positive === word || !ONE_SIDED.has(positive));
      if (!known) throw SYNTAX;
      const predicate = KINDS[positive](cx, i + 1, word);
      filter.add(positive === word ? predicate : (client) => !predicate(client));
    }
    i += 2;
  }
  return filter;
}

function yesOrNo(cx: Context, i: number): boolean {
  if (cx.isToken(i, "yes")) return true;
  if (cx.isToken(i, "no")) return false;
  throw SYNTAX;
}

/** Reads ids up to what is no number; returns the index after them. */
function parseIds(cx: Context, from: number, filter: ClientFilter, negated: boolean, errors: IdErrors): number {
  const ids: number[] = [];
  let i = from;
  for (; i < cx.argc; i++) {
    const id = parseInt64(cx.buf, cx.start[i], cx.length[i]);
    if (id === null) {
      if (i === from) throw errors.notANumber;
      if (errors.laterNotANumber !== null && !isFilterWord(cx.text(i))) throw errors.laterNotANumber;
      break;
    }
    if (id < 1n && errors.notPositive !== null) throw errors.notPositive;
    ids.push(Number(id));
  }
  const set = new Set(ids);
  if (negated) {
    filter.add((client) => !set.has(client.id));
  } else {
    filter.add((client) => set.has(client.id));
    filter.ids = filter.ids === null ? ids : [...filter.ids, ...ids];
  }
  return i;
}

function isFilterWord(text: string): boolean {
  const word = text.toLowerCase().replace(/^not-/, "");
  return word === "id" || word === "skipme" || Object.hasOwn(KINDS, word);
}
