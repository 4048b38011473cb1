/**
 * The argument grammar of a command, written as one line, and the argument tree that COMMAND DOCS builds from it.
 *
 * ```
 * line     = sequence
 * sequence = item { item }
 * choice   = sequence { "|" sequence }
 * item     = [ name "=" ] ( argument | TOKEN | "<" choice ">" | "[" choice "]" ) [ "@" [ since ] [ "-" deprecated ] ] [ "..." ]
 * argument = name [ ":" type ] [ "#" key spec ] [ "(" display text ")" ]
 * ```
 *
 * - A lower-case word is an argument. Types: string (when none is given), integer, double, key, pattern, unix-time,
 *   and pure-token for the odd token that has a name and no text. Arguments of type key
 *   refer to the key specs 0, 1, 2 ... in the order in which they stand; `#n` says otherwise.
 * - An UPPER-CASE word is a token. So are the bare signs `= ~ * $ + -` and any text in double quotes (`\"` for a quote).
 * - `<a b>` is a block, `<a | b>` a oneof; around a single item the brackets change nothing. `[...]` is the same, optional.
 * - A token takes the argument or the `<...>` that follows it in the same sequence as its own: `COUNT count:integer`,
 *   `AGGREGATE aggregate=<SUM | MIN | MAX>`. It stays a pure token when it is named (`any=ANY`), stands alone in brackets, or when what follows
 *   has a token already or is a `[...]`.
 * - A token that opens the whole content of brackets or of an alternative, followed by two or more plain arguments, is the token of a
 *   block of them: `[LIMIT offset:integer count:integer]`. When it belongs to the first argument instead, put both in brackets of their own:
 *   `[<LIMIT offset:integer> count:integer]`. When the content is not plain, say `LIMIT limit=<offset [count]>`.
 * - `x ...` may be repeated. `GET pattern ...` repeats the pattern behind one token; `<GET pattern> ...` repeats the token too. The style
 *   `key [key ...]`, `[GET pattern [GET pattern ...]]`, `key value [key value ...]` is understood as well (the last gives a block called data).
 * - `@6.2.0` behind an item is the version that brought it, `@6.2.0-7.0.0` also the one that deprecated it, `@-7.0.0` that alone. On an item with a token it stands at the
 *   end: `EX seconds:integer@6.2.0`.
 * - `name=` in front names a token, block or oneof. Without it a token is called as it reads in lower case (`=` equal, `~` approximately,
 *   `*` auto-id, `$` new-id, `""` empty-string), a block with a token as the token, another block after its first item with "-block",
 *   and a oneof "options".
 */
import { type Lexeme, LineReader } from "./syntax-line.ts";

/** Types of arguments, as COMMAND DOCS names them. */
export type ArgumentType =
  | "string"
  | "integer"
  | "double"
  | "key"
  | "pattern"
  | "unix-time"
  | "pure-token"
  | "oneof"
  | "block";

/** An argument of a command, or a group of them (`oneof`, `block`). */
export interface Argument {
  name: string;
  type: ArgumentType;
  /** What clients show; null: the name. Groups have none. */
  displayText: string | null;
  /** Index in the command's key specs, -1 when it is no key. */
  keySpecIndex: number;
  token: string | null;
  since: string | null;
  deprecatedSince: string | null;
  optional: boolean;
  multiple: boolean;
  /** The token is repeated with every value. */
  multipleToken: boolean;
  /** Members of a oneof or block. */
  arguments: Argument[];
}

/** An argument of a type with everything else at rest. */
export function argument(name: string, type: ArgumentType): Argument {
  return {
    name,
    type,
    displayText: null,
    keySpecIndex: -1,
    token: null,
    since: null,
    deprecatedSince: null,
    optional: false,
    multiple: false,
    multipleToken: false,
    arguments: [],
  };
}

/** The argument tree of a syntax line. Throws an Error that shows the place when the line does not parse. */
export function parseSyntax(line: string): Argument[] {
  const reader = new LineReader(line);
  const items = sequence(reader);
  if (reader.peek().kind !== "end") reader.fail("nothing opens what is closed here");
  const tree = items.map((item) => item.argument);
  numberKeys(tree, 0);
  return tree;
}

/** An item of a sequence, with what the sequence must know about how it was written. */
interface Item {
  argument: Argument;
  /** A `bare` token takes what follows; a `plain` argument stands without brackets, a `tokened` one behind its token; `option` is `[...]`. */
  written: "bare" | "plain" | "tokened" | "group" | "option";
}

function sequence(reader: LineReader): Item[] {
  const items: Item[] = [];
  while (!CLOSERS.has(reader.peek().kind)) {
    const next = item(reader);
    const last = items.at(-1);
    if (last?.written === "bare" && takesToken(next)) {
      next.argument.token = last.argument.token;
      next.argument.since ??= last.argument.since;
      items[items.length - 1] = { argument: next.argument, written: next.written === "plain" ? "tokened" : "group" };
    } else {
      items.push(next);
    }
    foldRepetition(items);
  }
  if (items.length === 0) reader.fail("an empty sequence");
  return items;
}

/** Whether the token in front belongs to the item. */
function takesToken(next: Item): boolean {
  return (next.written === "plain" || next.written === "group") && next.argument.token === null;
}

const CLOSERS: ReadonlySet<Lexeme["kind"]> = new Set(["end", "|", ">", "]"]);

function item(reader: LineReader): Item {
  const name = reader.takeIf("name=")?.text ?? null;
  const head = reader.take();
  const result = element(reader, head);
  if (name !== null) {
    result.argument.name = name;
    if (result.written === "bare") result.written = "group";
  }
  const since = reader.takeIf("@");
  if (since !== null) {
    const [from, until] = since.text.split("-");
    result.argument.since = from === "" ? null : from;
    result.argument.deprecatedSince = until ?? null;
  }
  if (reader.takeIf("...") !== null) {
    result.argument.multiple = true;
    result.argument.multipleToken = result.argument.token !== null && result.argument.type !== "pure-token";
  }
  return result;
}

function element(reader: LineReader, head: Lexeme): Item {
  switch (head.kind) {
    case "argument": {
      const result = argument(head.text, argumentType(reader, head.type));
      result.displayText = head.display;
      result.keySpecIndex = head.keySpec;
      return { argument: result, written: "plain" };
    }
    case "token": {
      const result = argument(tokenName(head.text), "pure-token");
      result.token = head.text;
      return { argument: result, written: "bare" };
    }
    case "<":
      return { argument: choice(reader, ">"), written: "group" };
    case "[": {
      const result = choice(reader, "]");
      result.optional = true;
      return { argument: result, written: "option" };
    }
    default:
      return reader.fail(`"${head.kind}" where an item is expected`);
  }
}

const VALUE_TYPES: readonly ArgumentType[] = [
  "string",
  "integer",
  "double",
  "key",
  "pattern",
  "unix-time",
  "pure-token",
];

function argumentType(reader: LineReader, name: string): ArgumentType {
  const type = VALUE_TYPES.find((t) => t === name);
  return type ?? reader.fail(`no argument has the type ${name}`);
}

const SIGN_NAMES: Readonly<Record<string, string>> = {
  "=": "equal",
  "~": "approximately",
  "*": "auto-id",
  $: "new-id",
  '""': "empty-string",
};

function tokenName(token: string): string {
  return SIGN_NAMES[token] ?? token.toLowerCase();
}

/** Reads alternatives up to the closing bracket. */
function choice(reader: LineReader, closer: ">" | "]"): Argument {
  const alternatives = [whole(sequence(reader))];
  while (reader.takeIf("|") !== null) alternatives.push(whole(sequence(reader)));
  if (reader.takeIf(closer) === null) reader.fail(`"${closer}" is missing`);
  if (alternatives.length === 1) return alternatives[0];
  const result = argument("options", "oneof");
  result.arguments = alternatives;
  return result;
}

/** The argument that stands for a whole sequence: its only item, or a block. */
function whole(items: Item[]): Argument {
  if (items.length === 1) return items[0].argument;
  const [first, ...rest] = items;
  const block = argument(`${first.argument.name}-block`, "block");
  // "LIMIT offset count": the token was bound to the first argument when the second was not yet seen.
  if (first.written === "tokened" && rest.every((item) => item.written === "plain")) {
    block.token = first.argument.token;
    block.name = tokenName(first.argument.token ?? "");
    first.argument.token = null;
  }
  block.arguments = items.map((item) => item.argument);
  return block;
}

/** Turns "x [x ...]" into "x ...", with several items "x y [x y ...]" into a repeated block. The last item is the candidate. */
function foldRepetition(items: Item[]): void {
  const last = items.at(-1);
  if (last === undefined || last.written !== "option") return;
  const repeated = last.argument.type === "block" ? last.argument.arguments : [last.argument];
  const originals = items.slice(0, -1).slice(-repeated.length);
  if (!repeated[repeated.length - 1].multiple || originals.length !== repeated.length) return;
  if (!repeated.every((r, i) => r.name === originals[i].argument.name)) return;
  items.splice(-repeated.length - 1);
  let result = originals[0].argument;
  if (originals.length > 1) {
    const { token } = last.argument;
    if (token !== null) result.token = null;
    result = argument(token === null ? "data" : tokenName(token), "block");
    result.token = token;
    result.arguments = originals.map((original) => original.argument);
  }
  result.multiple = true;
  result.multipleToken = result.token !== null;
  items.push({ argument: result, written: originals.length === 1 ? originals[0].written : "group" });
}

/** Numbers the keys of a tree from `next` on; returns the number after the last. */
function numberKeys(tree: readonly Argument[], next: number): number {
  let following = next;
  for (const node of tree) {
    if (node.type === "key") {
      if (node.keySpecIndex < 0) node.keySpecIndex = following;
      following = node.keySpecIndex + 1;
    }
    following = numberKeys(node.arguments, following);
  }
  return following;
}
