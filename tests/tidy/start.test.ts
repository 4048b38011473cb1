// What a start loads: the files that main.ts reaches by static imports. All else is loaded when it is wanted, because a start pays for every function
// that it reads, called or not.

import { expect, test } from "bun:test";
import { readSources, startFiles } from "../../scripts/lib/start-chunk.ts";

/** Commands that are there from the start; all others are loaded by family (src/commands/index.ts). */
const COMMAND_FILES = [
  "src/commands/connection/authentication.ts",
  "src/commands/connection/connection.ts",
  "src/commands/index.ts",
];

/** Most bytes of source that a start may load. Whoever needs more should ask first what can be loaded later. */
const START_BYTES_MAX = 600_000;

const sources = readSources();
const started = startFiles(sources);

/** Modules of the runtime that a text imports at once. */
function modulesOf(text: string): string[] {
  const imports = new Bun.Transpiler({ loader: "ts" }).scanImports(text);
  return imports
    .filter((found) => found.kind === "import-statement" && /^(?:node|bun):/.test(found.path))
    .map((found) => found.path);
}

test("a start loads the commands of connections and no others", () => {
  expect([...started].filter((path) => path.startsWith("src/commands/")).sort()).toEqual(COMMAND_FILES);
});

test("a start loads none of the runtime's own modules: each costs half a millisecond or more", () => {
  const modules = [...started].flatMap((path) => modulesOf(sources.get(path)!));
  expect(modules).toEqual([]);
});

test("a start loads no more source than it may", () => {
  const bytes = [...started].reduce((sum, path) => sum + sources.get(path)!.length, 0);
  process.stdout.write(`a start loads ${started.size} of ${sources.size} files, ${bytes} bytes\n`);
  expect(bytes).toBeLessThan(START_BYTES_MAX);
});
