// A ConfigHost without a system: files in a map, a working directory that is a string.

import type { ConfigHost } from "../../src/config/host.ts";

/** The host, with its insides open to the test. */
export interface MemoryHost extends ConfigHost {
  readonly files: Map<string, string>;
  /** Directories that chdir accepts. */
  readonly directories: Set<string>;
  stdin: string;
}

/** A host with these files. "/" is the working directory; "/data" and "/other" exist too. */
export function memoryHost(files: Record<string, string> = {}): MemoryHost {
  const store = new Map(Object.entries(files));
  const directories = new Set(["/", "/data", "/other"]);
  let cwd = "/";
  const host: MemoryHost = {
    files: store,
    directories,
    stdin: "",
    readFile: (path) => {
      const text = store.get(path);
      return text === undefined ? { error: "No such file or directory", missing: true } : { text };
    },
    readStdin: () => ({ text: host.stdin }),
    glob: (pattern) => {
      const regexp = new RegExp(`^${pattern.replace(/[.]/g, "\\.").replace(/\*/g, "[^/]*")}$`);
      return [...store.keys()].filter((path) => regexp.test(path)).sort();
    },
    chdir: (path) => {
      if (!directories.has(path)) return "No such file or directory";
      cwd = path;
      return null;
    },
    cwd: () => cwd,
    tryAppend: (path) => (path.startsWith("/missing/") ? "No such file or directory" : null),
    replaceFile: (path, text) => {
      if (path.startsWith("/readonly/")) return "Permission denied";
      store.set(path, text);
      return null;
    },
  };
  return host;
}
