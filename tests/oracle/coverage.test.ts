// Which commands the random sequences of the oracle reach: all that redis-server 7.0 has of the groups that keep data. A new command without a
// generator fails here.

import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { COMMANDS } from "../../src/commands/index.ts";
import { allLiterals } from "../../src/engine/spec/command-family.ts";
import type { Generator } from "./generator.ts";
import { stepsOf } from "./runner.ts";

const FOLDER = join(import.meta.dir, "generators");

/** Groups whose commands must be drawn. */
const GROUPS: ReadonlySet<string> = new Set([
  "bitmap",
  "generic",
  "geo",
  "hash",
  "hyperloglog",
  "list",
  "set",
  "sorted-set",
  "stream",
  "string",
  "transactions",
  "pubsub",
]);

/** Commands that random sequences cannot compare, and where they are tested instead. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  pfselftest: "takes seconds in redis-server and answers OK: tests of HyperLogLog",
  dump: "dump.test.ts",
  restore: "dump.test.ts",
  "restore-asking": "RESTORE under another name",
  wait: "answers about replicas: tests of replication",
  migrate: "needs a second server: tests of replication",
};

/** The commands that a run of each family draws: "set", "object|encoding". */
async function drawnCommands(): Promise<ReadonlySet<string>> {
  const drawn = new Set<string>();
  for (const file of readdirSync(FOLDER)) {
    const { generator } = (await import(join(FOLDER, file))) as { generator: Generator };
    for (const { args } of stepsOf({ generator, protocol: 2, seed: 1, commandCount: 5000 })) {
      const [name, sub] = args.map((arg) => arg.toLowerCase());
      drawn.add(name!);
      drawn.add(`${name}|${sub}`);
    }
  }
  return drawn;
}

/** Did redis-server 7.0 have a command that is there since a version? */
function inSeven(since: string): boolean {
  const [major, minor] = since.split(".").map(Number);
  return major! < 7 || (major === 7 && minor === 0);
}

/** The full names of the commands that must be drawn. */
function expectedCommands(): string[] {
  return allLiterals(COMMANDS)
    .filter(({ group }) => GROUPS.has(group))
    .flatMap((literal) => {
      const rows = literal.subcommands?.map((sub) => ({ ...sub, name: `${literal.name}|${sub.name}` })) ?? [literal];
      return rows
        .filter(({ name, since }) => inSeven(since) && !name.endsWith("|help") && !Object.hasOwn(ELSEWHERE, name))
        .map(({ name }) => name);
    });
}

test("every command of the data types is drawn by a generator", async () => {
  const drawn = await drawnCommands();
  const expected = expectedCommands();
  expect(expected.length).toBeGreaterThan(190);
  expect(expected.filter((name) => !drawn.has(name))).toEqual([]);
});
