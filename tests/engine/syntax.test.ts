// The notation of argument grammars: each rule on an example, random trees there and back, and the lines of all commands.

import { describe, expect, test } from "bun:test";
import { Prng } from "../../src/base/prng.ts";
import { COMMANDS } from "../../src/commands/index.ts";
import { allLiterals } from "../../src/engine/spec/command-family.ts";
import type { CommandLiteral } from "../../src/engine/spec/spec.ts";
import { type Argument, argument, parseSyntax } from "../../src/engine/spec/syntax.ts";
import { printSyntax } from "./syntax-printer.ts";

/** A tree in short: `name:type`, token in quotes, flags `?` optional, `*` multiple, `**` multiple with token, members in parentheses. */
function short(tree: readonly Argument[]): string {
  return tree
    .map((node) => {
      let text = node.token === null ? "" : `'${node.token}'`;
      text += `${node.name}:${node.type}`;
      if (node.keySpecIndex >= 0) text += `#${node.keySpecIndex}`;
      if (node.displayText !== null) text += `(${node.displayText})`;
      if (node.since !== null) text += `@${node.since}`;
      if (node.deprecatedSince !== null) text += `-${node.deprecatedSince}`;
      if (node.optional) text += "?";
      if (node.multiple) text += node.multipleToken ? "**" : "*";
      if (node.arguments.length > 0) text += `(${short(node.arguments)})`;
      return text;
    })
    .join(" ");
}

const RULES: readonly (readonly [rule: string, line: string, tree: string])[] = [
  ["plain arguments", "key:key value", "key:key#0 value:string"],
  ["types", "a:integer b:double c:pattern d:unix-time", "a:integer b:double c:pattern d:unix-time"],
  ["a token alone", "[GET]", "'GET'get:pure-token?"],
  ["a named token", "[change=CH]", "'CH'change:pure-token?"],
  [
    "signs have names",
    "[= | ~] <* | $>",
    "options:oneof?('='equal:pure-token '~'approximately:pure-token) options:oneof('*'auto-id:pure-token '$'new-id:pure-token)",
  ],
  ["quoted tokens", String.raw`<key:key | "\"\"">`, `options:oneof(key:key#0 '""'empty-string:pure-token)`],
  ["a token takes what follows", "COUNT count:integer", "'COUNT'count:integer"],
  ["a token takes a oneof", "AGGREGATE a=<SUM | MIN>", "'AGGREGATE'a:oneof('SUM'sum:pure-token 'MIN'min:pure-token)"],
  [
    "a token takes no option",
    "<FULL [COUNT count:integer]>",
    "full-block:block('FULL'full:pure-token 'COUNT'count:integer?)",
  ],
  ["a token takes no token", "NO ONE", "'NO'no:pure-token 'ONE'one:pure-token"],
  ["nor what has one", "A <B c>", "'A'a:pure-token 'B'c:string"],
  ["a token in brackets takes nothing", "<FULL> count", "'FULL'full:pure-token count:string"],
  ["a named token takes nothing", "any=ANY count", "'ANY'any:pure-token count:string"],
  [
    "a token in front of plain arguments makes a block",
    "[LIMIT offset count]",
    "'LIMIT'limit:block?(offset:string count:string)",
  ],
  ["the same as an alternative", "x=<A b c | D>", "x:oneof('A'a:block(b:string c:string) 'D'd:pure-token)"],
  ["not on the outermost level", "LIMIT offset count", "'LIMIT'offset:string count:string"],
  [
    "the token of the first argument",
    "[<LIMIT offset> count]",
    "offset-block:block?('LIMIT'offset:string count:string)",
  ],
  [
    "not plain, no block with the token",
    "[COUNT count [ANY]]",
    "count-block:block?('COUNT'count:string 'ANY'any:pure-token?)",
  ],
  [
    "a block with the token, said so",
    "[TO target=<host [FORCE]>]",
    "'TO'target:block?(host:string 'FORCE'force:pure-token?)",
  ],
  ["repetition", "key:key ...", "key:key#0*"],
  ["repetition behind a token", "[ID id ...]", "'ID'id:string?*"],
  ["repetition with the token", "[<GET pattern:pattern> ...]", "'GET'pattern:pattern?**"],
  ["repetition of an option", "[GET pattern] ...", "'GET'pattern:string?**"],
  ["repetition of a block", "data=<field value> ...", "data:block*(field:string value:string)"],
  ["the documentation's style", "key:key [key ...]", "key:key#0*"],
  ["the same with a token", "[GET pattern [GET pattern ...]]", "'GET'pattern:string?**"],
  ["the same with two", "key:key value [key value ...]", "data:block*(key:key#0 value:string)"],
  ["the same with two and a token", "[CONFIG a b [CONFIG a b ...]]", "'CONFIG'config:block?**(a:string b:string)"],
  ["keys count up", "a:key b=[c:key | d:key]", "a:key#0 b:oneof?(c:key#1 d:key#2)"],
  ["keys that are told", "a:key b:key#0 c:key", "a:key#0 b:key#0 c:key#1"],
  ["versions", "[GET]@6.2.0 a@1.0.0-2.0.0 b@-3.0.0", "'GET'get:pure-token@6.2.0? a:string@1.0.0-2.0.0 b:string-3.0.0"],
  ["the version of an item with a token", "[EX s:integer@6.2.0]", "'EX's:integer@6.2.0?"],
  ["display texts", "a:key(ip:port)", "a:key#0(ip:port)"],
  ["an option around a choice", "c=[NX | XX]", "c:oneof?('NX'nx:pure-token 'XX'xx:pure-token)"],
];

describe("rules", () => {
  for (const [rule, line, tree] of RULES) test(rule, () => expect(short(parseSyntax(line))).toBe(tree));
});

describe("lines that do not parse", () => {
  const bad = ["", "a:number", "<a", "a>", "[a | ]", "a | b", "Mixed", "x= y", '"open', "a ]"];
  for (const line of bad) test(JSON.stringify(line), () => expect(() => parseSyntax(line)).toThrow("syntax line: "));
});

const SINCE = [null, null, null, "6.2.0", "7.0.0"];
const TYPES = ["string", "integer", "double", "key", "pattern", "unix-time"] as const;

/** A random argument of which the notation can say everything. */
function randomArgument(prng: Prng, depth: number, index: number): Argument {
  const kind = prng.below(depth > 2 ? 6 : 10);
  const letter = `${"abcdefgh"[prng.below(8)]}${index}`;
  let node: Argument;
  if (kind < 4) {
    node = argument(letter, TYPES[prng.below(TYPES.length)]);
    if (prng.below(3) === 0) node.token = `T-${letter.toUpperCase()}`;
    if (prng.below(8) === 0) node.displayText = "shown text";
    if (node.type === "key") node.keySpecIndex = prng.below(3);
  } else if (kind < 6) {
    node = argument(prng.below(2) === 0 ? letter : `x-${letter}`, "pure-token");
    node.token = prng.below(6) === 0 ? `"${letter}` : letter.toUpperCase();
  } else {
    node = argument(letter, kind < 8 ? "oneof" : "block");
    node.arguments = Array.from({ length: 2 + prng.below(3) }, (_, i) => randomArgument(prng, depth + 1, i));
    if (prng.below(3) === 0) node.token = `G-${letter.toUpperCase()}`;
  }
  node.since = SINCE[prng.below(SINCE.length)];
  if (node.since !== null && prng.below(4) === 0) node.deprecatedSince = "9.0.0";
  node.optional = prng.below(3) === 0;
  node.multiple = prng.below(4) === 0;
  node.multipleToken = node.multiple && node.token !== null && node.type !== "pure-token" && prng.below(2) === 0;
  return node;
}

test("random trees, there and back", () => {
  for (let seed = 1; seed <= 3000; seed++) {
    const prng = new Prng(seed);
    const tree = Array.from({ length: 1 + prng.below(4) }, (_, i) => randomArgument(prng, 0, i));
    const line = printSyntax(tree);
    try {
      expect(parseSyntax(line)).toEqual(tree);
    } catch (error) {
      throw new Error(`seed ${seed}: ${line}\n${error}`);
    }
  }
});

describe("the lines of all commands", () => {
  const visit = (literal: CommandLiteral, container: string): void => {
    const name = `${container}${literal.name}`;
    if (literal.syntax !== undefined && literal.syntax !== "")
      test(name, () => {
        const tree = parseSyntax(literal.syntax ?? "");
        const indexes = keyIndexes(tree);
        expect(Math.max(-1, ...indexes)).toBeLessThan(literal.keys?.length ?? 0);
        if (literal.keys?.some((key) => !key.flags.includes("not_key"))) expect(indexes).toContain(0);
      });
    for (const sub of literal.subcommands ?? []) visit(sub, `${name}|`);
  };
  for (const literal of allLiterals(COMMANDS)) visit(literal, "");
});

/** Key specs that a tree refers to. */
function keyIndexes(tree: readonly Argument[]): number[] {
  return tree.flatMap((node) => [
    ...(node.keySpecIndex >= 0 ? [node.keySpecIndex] : []),
    ...keyIndexes(node.arguments),
  ]);
}
