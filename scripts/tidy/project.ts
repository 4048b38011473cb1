// Reads the project's own sources for the checks.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { type SourceFile, sourceFile } from "./source.ts";

/** The project's folder. */
export const ROOT = join(import.meta.dir, "..", "..");

/** All TypeScript files under the given folders of the project, sorted by path. */
export function projectFiles(...folders: string[]): SourceFile[] {
  const files: SourceFile[] = [];
  for (const folder of folders) {
    if (!existsSync(join(ROOT, folder))) continue;
    for (const entry of readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith(".ts")) continue;
      const path = join(entry.parentPath, entry.name);
      files.push(sourceFile(relative(ROOT, path).split(sep).join("/"), readFileSync(path, "utf8")));
    }
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Whether a path from the project's folder exists. */
export function projectPathExists(path: string): boolean {
  return existsSync(join(ROOT, path));
}
