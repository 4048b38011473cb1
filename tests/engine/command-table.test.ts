// The command table: look-up by bytes, containers, rename-command, and rules that every command's literal keeps.

import { describe, expect, test } from "bun:test";
import { COMMANDS } from "../../src/commands/index.ts";
import { Config } from "../../src/config/config.ts";
import { PERSONALITIES } from "../../src/config/personality.ts";
import { allLiterals, family } from "../../src/engine/spec/command-family.ts";
import { CommandTable } from "../../src/engine/spec/command-table.ts";
import { applyRenames, renameDirective } from "../../src/engine/spec/rename-command.ts";
import { type CommandLiteral, Flag, KEY_FLAG_NAMES } from "../../src/engine/spec/spec.ts";

function literal(name: string, subcommands?: readonly CommandLiteral[]): CommandLiteral {
  return {
    name,
    arity: -1,
    flags: 0,
    since: "1.0.0",
    group: "generic",
    summary: "",
    complexity: "",
    subcommands,
    run: () => {},
  };
}

function find(table: CommandTable, name: string): string | null {
  const bytes = new TextEncoder().encode(`..${name}`);
  return table.find(bytes, 2, bytes.length - 2)?.fullName ?? null;
}

test("names are found in any case, and nothing else is", () => {
  const table = new CommandTable(Array.from({ length: 300 }, (_, i) => literal(`command${i}`)));
  for (let i = 0; i < 300; i++) {
    expect(find(table, `command${i}`)).toBe(`command${i}`);
    expect(find(table, `CoMMaND${i}`)).toBe(`command${i}`);
  }
  for (const name of ["", "command", "command300", "command1 ", "x".repeat(65), "c\u00d6mmand1"])
    expect(find(table, name)).toBeNull();
});

test("containers and subcommands have names", () => {
  const table = new CommandTable([literal("a"), literal("box", [literal("get"), literal("set")]), literal("z")]);
  expect(table.size).toBe(3);
  const box = table.lookup("BOX");
  expect([...(box?.subcommands?.values() ?? [])].map((sub) => sub.fullName)).toEqual(["box|get", "box|set"]);
  expect(table.lookup("Box|GET")?.fullName).toBe("box|get");
  for (const name of ["box|nosuch", "a|get", "box|get|x", "nosuch"]) expect(table.lookup(name)).toBeUndefined();
});

test("a name that is declared twice is a mistake", () => {
  expect(() => new CommandTable([literal("a"), literal("a")]).size).toThrow("twice");
});

describe("a family", () => {
  const literals = [literal("get"), literal("box", [literal("open")])];

  function tableOf(names: string, loaded: readonly CommandLiteral[]) {
    let loads = 0;
    const load = () => {
      loads++;
      return loaded;
    };
    return { table: new CommandTable([literal("first"), family(names, load), literal("last")]), loads: () => loads };
  }

  test("is loaded once, when one of its commands is asked for", () => {
    const { table, loads } = tableOf("get box", literals);
    expect([table.size, loads()]).toEqual([4, 0]);
    expect(find(table, "nosuch")).toBeNull();
    expect(find(table, "box|open")).toBeNull();
    expect(find(table, "last")).toBe("last");
    expect(table.loaded().map((spec) => spec.name)).toEqual(["first", "last"]);
    expect(loads()).toBe(0);
    expect(find(table, "Get")).toBe("get");
    expect(find(table, "box")).toBe("box");
    expect(table.lookup("box|open")?.fullName).toBe("box|open");
    expect(loads()).toBe(1);
    expect(table.loaded().map((spec) => spec.name)).toEqual(["first", "get", "box", "last"]);
  });

  test("is loaded when all commands are asked for", () => {
    const { table, loads } = tableOf("get box", literals);
    expect(table.all().map((spec) => spec.name)).toEqual(["first", "get", "box", "last"]);
    expect(loads()).toBe(1);
  });

  test("can be loaded ahead, one at a time", () => {
    const { table, loads } = tableOf("get box", literals);
    expect([table.loadNext(), loads(), table.loadNext(), loads()]).toEqual([true, 1, false, 1]);
    expect(table.loaded().length).toBe(4);
  });

  test("answers under the names that clients use", () => {
    const { table, loads } = tableOf("get box", literals);
    expect(table.rename("GET", "fetch")).toBeNull();
    expect(table.rename("box", "")).toBeNull();
    expect([find(table, "get"), find(table, "box"), loads()]).toEqual([null, null, 0]);
    expect(find(table, "FETCH")).toBe("get");
    expect(find(table, "box")).toBeNull();
    expect(table.lookupOriginal("box")?.name).toBe("box");
  });

  test("has the commands that its names say", () => {
    expect(() => tableOf("get", literals).table.lookup("get")).toThrow("other commands");
    expect(() => tableOf("first", literals).table.size).toThrow("twice");
  });
});

describe("rename-command", () => {
  const literals = [literal("get"), literal("set"), literal("keys")];

  function load(text: string) {
    const config = new Config({ personality: PERSONALITIES.redis });
    config.onDirective("rename-command", renameDirective(literals));
    const error = config.loadText(text);
    const table = new CommandTable(literals);
    return { error, table, message: error === null ? applyRenames(table, config) : null };
  }

  test("renames and removes", () => {
    const { error, table, message } = load('rename-command GET fetch\nrename-command keys ""\nrename-command set GET');
    expect([error, message]).toEqual([null, null]);
    expect(find(table, "FETCH")).toBe("get");
    expect(find(table, "get")).toBe("set");
    expect(find(table, "set")).toBeNull();
    expect(find(table, "keys")).toBeNull();
    expect(table.all().map((spec) => spec.name)).toEqual(["get", "set"]);
    expect(table.loaded().map((spec) => spec.name)).toEqual(["get", "set", "keys"]);
    expect(table.lookupOriginal("keys")?.name).toBe("keys");
  });

  const refused: readonly (readonly [string, number, string])[] = [
    ["rename-command nosuch x", 1, "No such command in rename-command"],
    ["\nrename-command get SET", 2, "Target command name already exists"],
    ["rename-command get a\nrename-command get b", 2, "No such command in rename-command"],
    ["rename-command get a\nrename-command set A", 2, "Target command name already exists"],
  ];
  for (const [text, lineNumber, message] of refused)
    test(JSON.stringify(text), () => expect(load(text).error).toMatchObject({ kind: "line", lineNumber, message }));

  test("the table refuses on its own, too", () => {
    const config = new Config({ personality: PERSONALITIES.redis });
    expect(config.loadText("rename-command nosuch x")).toBeNull();
    expect(applyRenames(new CommandTable(literals), config)).toBe("No such command in rename-command");
  });
});

describe("rules of literals", () => {
  const visit = (spec: CommandLiteral, container: string): void => {
    const name = `${container}${spec.name}`;
    test(name, () => {
      expect(spec.name).toBe(spec.name.toLowerCase());
      expect(spec.arity).not.toBe(0);
      expect(spec.since).toMatch(/^\d+\.\d+\.\d+$/);
      expect(spec.summary).toMatch(/^[A-Z].*\.$/);
      expect(spec.run !== undefined || spec.subcommands !== undefined).toBe(true);
      expect((spec.flags & Flag.Write) !== 0 && (spec.flags & Flag.Readonly) !== 0).toBe(false);
      // It follows from the key specs.
      expect(spec.flags & Flag.MovableKeys).toBe(0);
      for (const key of spec.keys ?? [])
        for (const word of key.flags.split(" ")) expect(KEY_FLAG_NAMES).toContain(word);
      for (const key of spec.keys ?? [])
        if (key.flags.includes("variable_flags") || key.flags.includes("incomplete"))
          expect(spec.getKeys).toBeDefined();
      for (const tip of spec.tips ?? []) expect(tip).toMatch(/^[a-z_]+(:[a-z_]+)?$/);
    });
    for (const sub of spec.subcommands ?? []) visit(sub, `${name}|`);
  };
  for (const spec of allLiterals(COMMANDS)) visit(spec, "");
});
