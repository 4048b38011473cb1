// Key positions: each kind of key spec on examples, the command's own getKeys, and random requests to every command of a live redis-server.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Prng, randomSeed } from "../../src/base/prng.ts";
import { hasKeys, keyPositions, noPositions } from "../../src/engine/spec/key-positions.ts";
import {
  type CommandLiteral,
  CommandSpec,
  countedKeys,
  Flag,
  type KeySpec,
  keysToEnd,
  oneKey,
} from "../../src/engine/spec/spec.ts";
import { Request } from "../../src/resp/request.ts";
import { describeOracle, startOracle } from "../support/oracle.ts";
import type { RunningServer } from "../support/process.ts";
import { parseReplies, type Reply } from "../support/transcript-reply.ts";

function specOf(keys: readonly KeySpec[], more: Partial<CommandLiteral> = {}): CommandSpec {
  return new CommandSpec({
    name: "x",
    arity: -1,
    flags: 0,
    since: "1.0.0",
    group: "generic",
    summary: "",
    complexity: "",
    keys,
    ...more,
  });
}

function request(line: string): Request {
  return Request.of(line.split(" ").map((word) => new TextEncoder().encode(word)));
}

/** The key arguments found, "-" for arguments that make no sense. */
function keysIn(spec: CommandSpec, line: string): string {
  const out = noPositions();
  const count = keyPositions(spec, request(line), out);
  if (count < 0) {
    expect(out.indexes).toEqual([]);
    return "-";
  }
  expect(out.indexes.length).toBe(count);
  expect(out.flags.length).toBe(count);
  const words = line.split(" ");
  return out.indexes.map((index) => words[index]).join(" ");
}

describe("kinds of key specs", () => {
  const range = (lastKey: number, step: number, limit: number) => ({ lastKey, step, limit });
  const cases: readonly (readonly [string, readonly KeySpec[], string, string])[] = [
    ["one key", [oneKey("RO")], "x a b", "a"],
    ["one key elsewhere", [oneKey("RO", 2)], "x a b", "b"],
    ["a key that is not there", [oneKey("RO", 2)], "x a", "-"],
    ["all keys", [keysToEnd("RO")], "x a b c", "a b c"],
    ["all keys but the last argument", [{ flags: "RO", begin: { index: 1 }, find: range(-2, 1, 0) }], "x a b c", "a b"],
    ["every second", [keysToEnd("RO", 1, 2)], "x a 1 b 2", "a b"],
    ["every second, one short", [keysToEnd("RO", 1, 2)], "x a 1 b", "a b"],
    ["counted from the end", [{ flags: "RO", begin: { index: -2 }, find: range(0, 1, 0) }], "x a b c", "b"],
    ["a count", [countedKeys("RO", 1)], "x 2 a b c", "a b"],
    ["a count with a step", [countedKeys("RO", 1, 2)], "x 2 a 1 b 2 c", "a b"],
    ["a count too large", [countedKeys("RO", 1)], "x 3 a b", "-"],
    ["a count of none", [countedKeys("RO", 1)], "x 0 a b", "-"],
    ["a count that is negative", [countedKeys("RO", 1)], "x -1 a b", "-"],
    ["a count that is no number", [countedKeys("RO", 1)], "x one a b", "-"],
    ["a count that is not there", [countedKeys("RO", 3)], "x a b", "-"],
    [
      "a keyword",
      [{ flags: "RO", begin: { keyword: "STORE", startFrom: 1 }, find: range(0, 1, 0) }],
      "x a store b",
      "b",
    ],
    [
      "a keyword that is last",
      [{ flags: "RO", begin: { keyword: "STORE", startFrom: 1 }, find: range(0, 1, 0) }],
      "x a store",
      "",
    ],
    [
      "a keyword backwards",
      [{ flags: "RO", begin: { keyword: "KEYS", startFrom: -2 }, find: range(-1, 1, 0) }],
      "x KEYS a KEYS b c",
      "b c",
    ],
    [
      "half of the rest",
      [{ flags: "RO", begin: { keyword: "STREAMS", startFrom: 1 }, find: range(-1, 1, 2) }],
      "x streams a b 1 2",
      "a b",
    ],
    ["no key at all", [{ ...oneKey("not_key"), flags: "not_key" }], "x a", ""],
    ["two specs", [oneKey("RW"), countedKeys("RO", 2)], "x a 1 b", "a b"],
    ["an unknown place", [oneKey("RO"), { flags: "RO", begin: "unknown", find: "unknown" }], "x a b", "-"],
    ["an incomplete spec", [oneKey("RO incomplete")], "x a b", "-"],
  ];
  for (const [name, keys, line, found] of cases) test(name, () => expect(keysIn(specOf(keys), line)).toBe(found));

  test("flags stand beside the positions", () => {
    const out = noPositions();
    keyPositions(specOf([oneKey("RW update"), keysToEnd("RO", 2)]), request("x a b c"), out);
    expect(out).toEqual({ indexes: [1, 2, 3], flags: ["RW update", "RO", "RO"] });
  });

  test("lists are reused", () => {
    const out = noPositions();
    keyPositions(specOf([keysToEnd("RO")]), request("x a b c"), out);
    keyPositions(specOf([oneKey("RO")]), request("x a"), out);
    expect(out.indexes).toEqual([1]);
  });
});

describe("the command's own getKeys", () => {
  const second: CommandLiteral["getKeys"] = (req, out) => {
    if (req.count < 3) return false;
    out.indexes.push(2);
    out.flags.push("RM");
    return true;
  };
  test("is asked when the specs do not tell all", () => {
    const spec = specOf([oneKey("RO incomplete")], { getKeys: second });
    expect(keysIn(spec, "x a b")).toBe("b");
    expect(keysIn(spec, "x a")).toBe("-");
  });
  test("is asked when flags depend on the arguments", () => {
    expect(keysIn(specOf([oneKey("RW variable_flags")], { getKeys: second }), "x a b")).toBe("b");
  });
  test("is not asked otherwise", () => {
    expect(keysIn(specOf([oneKey("RW")], { getKeys: second }), "x a b")).toBe("a");
  });
});

test("which commands have keys", () => {
  expect(hasKeys(specOf([]))).toBe(false);
  expect(hasKeys(specOf([oneKey("not_key")]))).toBe(false);
  expect(hasKeys(specOf([oneKey("not_key"), oneKey("RO")]))).toBe(true);
  expect(hasKeys(specOf([], { getKeys: () => true }))).toBe(true);
});

describe("the fixed range", () => {
  const unknown: KeySpec = { flags: "RO", begin: "unknown", find: "unknown" };
  const cases: readonly (readonly [string, readonly KeySpec[], readonly number[], boolean])[] = [
    ["no keys", [], [0, 0, 0], false],
    ["one key", [oneKey("RO")], [1, 1, 1], false],
    ["to the end", [keysToEnd("RO", 1, 2)], [1, -1, 2], false],
    ["two that follow each other", [oneKey("RO"), oneKey("RW", 2)], [1, 2, 1], false],
    ["one and the rest", [oneKey("RW", 2), keysToEnd("RO", 3)], [2, -1, 1], false],
    ["a gap", [oneKey("RO"), oneKey("RW", 3)], [1, 1, 1], true],
    ["a step among several", [oneKey("RO"), keysToEnd("RW", 2, 2)], [1, 1, 1], true],
    ["a count", [countedKeys("RO", 1)], [0, 0, 0], true],
    ["a key and a count", [oneKey("RO"), countedKeys("RO", 2)], [1, 1, 1], true],
    ["a key and an unknown place", [oneKey("RO"), unknown], [1, 1, 1], true],
    ["incomplete", [oneKey("RO incomplete")], [1, 1, 1], true],
  ];
  for (const [name, keys, range, movable] of cases)
    test(name, () => {
      const spec = specOf(keys);
      expect([spec.firstKey, spec.lastKey, spec.keyStep]).toEqual([...range]);
      expect((spec.flags & Flag.MovableKeys) !== 0).toBe(movable);
    });
});

/** Reads a key spec from COMMAND INFO (RESP3). */
function keySpecOf(reply: Reply): KeySpec {
  const map = pairs(reply);
  const step = (name: string) => {
    const part = pairs(map.get(name) as Reply);
    const numbers = new Map(
      [...pairs(part.get("spec") as Reply)].map(([field, value]) => [field, Number(text(value))]),
    );
    return { part, type: text(part.get("type") as Reply), number: (field: string) => numbers.get(field) as number };
  };
  const begin = step("begin_search");
  const find = step("find_keys");
  const flags = map.get("flags") as Reply;
  const result: KeySpec = { flags: items(flags).map(text).join(" "), begin: "unknown", find: "unknown" };
  if (begin.type === "index") result.begin = { index: begin.number("index") };
  else if (begin.type === "keyword") {
    const keyword = text(pairs(begin.part.get("spec") as Reply).get("keyword") as Reply);
    result.begin = { keyword, startFrom: begin.number("startfrom") };
  }
  if (find.type === "range") {
    result.find = { lastKey: find.number("lastkey"), step: find.number("keystep"), limit: find.number("limit") };
  } else if (find.type === "keynum") {
    result.find = {
      keyNumIndex: find.number("keynumidx"),
      firstKey: find.number("firstkey"),
      step: find.number("keystep"),
    };
  }
  return result;
}

function items(reply: Reply): Reply[] {
  return "items" in reply ? reply.items : [];
}

function text(reply: Reply): string {
  return "text" in reply ? reply.text : "value" in reply ? String(reply.value) : reply.kind;
}

function pairs(reply: Reply): Map<string, Reply> {
  const list = items(reply);
  return new Map(list.filter((_, i) => i % 2 === 0).map((name, i) => [text(name), list[i * 2 + 1]]));
}

describeOracle("key positions of redis-server", () => {
  let oracle: RunningServer;
  const specs: CommandSpec[] = [];

  beforeAll(async () => {
    oracle = await startOracle();
    const client = await oracle.connect();
    await client.must("HELLO", 3);
    const [info] = parseReplies(Buffer.from(await client.callRaw("COMMAND"), "latin1"));
    const collect = (entry: Reply): void => {
      const parts = items(entry);
      const flags = items(parts[2]).map(text).includes("no_mandatory_keys") ? Flag.NoMandatoryKeys : 0;
      const keys = items(parts[8]).map(keySpecOf);
      specs.push(specOf(keys, { name: text(parts[0]), arity: Number(text(parts[1])), flags }));
      const range = parts.slice(3, 6).map((part) => Number(text(part)));
      const spec = specs[specs.length - 1];
      expect([spec.name, spec.firstKey, spec.lastKey, spec.keyStep]).toEqual([spec.name, ...range]);
      const movable = items(parts[2]).map(text).includes("movablekeys");
      expect([spec.name, (spec.flags & Flag.MovableKeys) !== 0]).toEqual([spec.name, movable]);
      for (const sub of items(parts[9])) collect(sub);
    };
    for (const entry of items(info)) collect(entry);
    client.close();
  });
  afterAll(() => oracle.stop());

  const WORDS = ["a", "b", "c", "0", "1", "2", "3", "store", "STREAMS", "keys", "GET", "weights", "limit"];

  test("random requests", async () => {
    const seed = randomSeed();
    const prng = new Prng(seed);
    const client = await oracle.connect();
    const withKeys = specs.filter(hasKeys);
    expect(withKeys.length).toBeGreaterThan(150);
    for (let round = 0; round < 12; round++)
      for (const spec of withKeys) {
        const count = spec.arity > 0 ? spec.arity : -spec.arity + prng.below(6);
        const name = spec.name.split("|");
        const args = [...name];
        while (args.length < count) args.push(WORDS[prng.below(WORDS.length)]);
        // Two arguments are not enough for this version's COMMAND GETKEYS.
        if (args.length < 2) continue;
        const found = keysIn(spec, args.join(" "));
        const [reply] = parseReplies(Buffer.from(await client.callRaw("COMMAND", "GETKEYS", ...args), "latin1"));
        // Where the specs tell nothing, redis-server has code for the command.
        if (found === "-" || spec.literal.keys?.some((key) => key.flags.includes("variable_flags"))) continue;
        const expected = reply.kind === "error" ? "" : items(reply).map(text).join(" ");
        expect([seed, args.join(" "), found]).toEqual([seed, args.join(" "), expected]);
      }
    client.close();
  });
});
