// A copy of the sources for the compiler, made so that all that a start loads becomes one chunk of the executable, without private names
// (ordinary-names.ts), and with the default values of settings as literals (setting-defaults.ts).
//
// Code that is loaded on demand is split off, and what two such files share goes into a chunk for each set of files that shares it: a start would load fifty
// of them, at the price of a module each. So in the copy each file that is loaded on demand imports every file of a start. They have been loaded long before it,
// so that this changes nothing when the program runs; but then all of them have the same users.

import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { projectFiles, ROOT } from "../tidy/project.ts";
import { refuseChangingExports } from "./function-scope.ts";
import { ordinaryNames, refuseSharedNames } from "./ordinary-names.ts";
import { DEFAULTS_PATH, literalDefaults } from "./setting-defaults.ts";

const MAIN = "src/main.ts";

const transpiler = new Bun.Transpiler({ loader: "ts" });

/** Texts of all source files, by their paths from the project's folder. */
export function readSources(): ReadonlyMap<string, string> {
  return new Map(projectFiles("src").map((file) => [file.path, file.text]));
}

/** Files that a file loads, at once or on demand. Type-only imports load nothing. */
function loadedBy(path: string, sources: ReadonlyMap<string, string>, onDemand: boolean): string[] {
  return transpiler
    .scanImports(sources.get(path) ?? "")
    .filter((found) => (found.kind !== "import-statement") === onDemand && found.path.startsWith("."))
    .map((found) => posix.join(posix.dirname(path), found.path))
    .filter((loaded) => sources.has(loaded));
}

/** The files that a start loads: those that main.ts reaches by static imports, itself among them. */
export function startFiles(sources: ReadonlyMap<string, string>): ReadonlySet<string> {
  const started = new Set([MAIN]);
  for (const path of started) for (const imported of loadedBy(path, sources, false)) started.add(imported);
  return started;
}

function importOf(imported: string, importer: string): string {
  const path = posix.relative(posix.dirname(importer), imported);
  return `import "${path.startsWith(".") ? path : `./${path}`}";\n`;
}

/** Copies the sources, and what they need beside them, into a folder. Returns the path of main.ts there. */
export function copySources(folder: string): string {
  const sources = readSources();
  refuseSharedNames(sources.values());
  refuseChangingExports(sources);
  const started = [...startFiles(sources)].filter((path) => path !== MAIN);
  const onDemand = new Set([...sources.keys()].flatMap((path) => loadedBy(path, sources, true)));
  for (const [path, text] of sources) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    const more = onDemand.has(path) ? started.map((imported) => importOf(imported, path)).join("") : "";
    const own = path === DEFAULTS_PATH ? literalDefaults() : ordinaryNames(text);
    writeFileSync(join(folder, path), `${own}\n${more}`);
  }
  // The compiler reads there that class fields are assignments: a field that is defined costs a constructor that runs once 1.3 us instead of 0.8.
  for (const name of ["package.json", "tsconfig.json"]) cpSync(join(ROOT, name), join(folder, name));
  return join(folder, MAIN);
}
