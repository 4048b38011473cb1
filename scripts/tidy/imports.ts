// The import graph: who imports whom, layer ranks, cycles, and what main.ts reaches. Type-only imports count, because a
// reader has to follow them too.

import { posix } from "node:path";
import { lineAt, type SourceFile } from "./source.ts";

/** A broken rule at a place. */
export interface Finding {
  readonly rule: string;
  readonly path: string;
  readonly line: number;
  readonly detail: string;
}

/** An import with a relative path. */
export interface ImportEdge {
  readonly from: string;
  /** Path of the target from the project root. */
  readonly to: string;
  readonly line: number;
}

/** Rank of each folder of src. A file imports from lower ranks and from its own folder only. */
export const LAYER_RANK: Readonly<Record<string, number>> = {
  base: 0,
  config: 1,
  arena: 1,
  resp: 1,
  struct: 2,
  types: 3,
  keyspace: 4,
  rdb: 4,
  engine: 5,
  commands: 6,
  persistence: 6,
  replication: 7,
  net: 8,
  cli: 9,
};

/** src/main.ts stands above every folder and nobody imports it. */
const MAIN_RANK = 10;

/** Relative imports of a file: static, type-only, re-exports, dynamic with a literal, and `new URL(..., import.meta.url)`. */
export function relativeImports(file: SourceFile): ImportEdge[] {
  const edges: ImportEdge[] = [];
  const pattern = /(?:\bfrom|\bimport|\bimport\s*\(|\bnew\s+URL\s*\()\s*(["'])(\.{1,2}\/[^"'\n]+)\1/g;
  for (const match of file.uncommented.matchAll(pattern)) {
    // Inside a string or template the keyword is blanked in `code`: that is a text about imports, not an import.
    if (!/[a-zA-Z]/.test(file.code[match.index] ?? "")) continue;
    const to = posix.normalize(posix.join(posix.dirname(file.path), match[2]!));
    edges.push({ from: file.path, to, line: lineAt(file.text, match.index) });
  }
  return edges;
}

/** Name of the layer of a path, `main` for src/main.ts, null outside src or for a file that lies in src itself. */
export function layerOf(path: string): string | null {
  if (path === "src/main.ts") return "main";
  const match = /^src\/([^/]+)\//.exec(path);
  return match ? match[1]! : null;
}

function rankOf(layer: string): number | undefined {
  return layer === "main" ? MAIN_RANK : LAYER_RANK[layer];
}

/** Imports that go up or sideways, and files in no known layer. */
export function layerFindings(files: readonly SourceFile[]): Finding[] {
  const findings: Finding[] = [];
  const report = (path: string, line: number, detail: string) =>
    findings.push({ rule: "layer-rank", path, line, detail });
  for (const file of files.filter((f) => f.path.startsWith("src/"))) {
    const layer = layerOf(file.path);
    const rank = layer === null ? undefined : rankOf(layer);
    if (layer === null || rank === undefined) {
      report(file.path, 1, `lies in no known layer; known are ${Object.keys(LAYER_RANK).join(", ")} and src/main.ts`);
      continue;
    }
    for (const edge of relativeImports(file)) {
      const target = layerOf(edge.to);
      if (target === layer) continue;
      const targetRank = target === null ? undefined : rankOf(target);
      if (edge.to === "package.json") continue;
      if (targetRank === undefined) report(file.path, edge.line, `imports ${edge.to}, which is in no layer of src`);
      else if (targetRank >= rank)
        report(file.path, edge.line, `${layer} (rank ${rank}) imports ${edge.to} (rank ${targetRank})`);
    }
  }
  return findings;
}

/** Relative imports that do not name an existing file with its extension. */
export function unresolvedFindings(files: readonly SourceFile[], exists: (path: string) => boolean): Finding[] {
  const findings: Finding[] = [];
  for (const file of files) {
    for (const edge of relativeImports(file)) {
      if (/\.[a-z]+$/.test(edge.to) && exists(edge.to)) continue;
      findings.push({ rule: "import-names-file", path: file.path, line: edge.line, detail: `${edge.to} is no file` });
    }
  }
  return findings;
}

/** One finding for each knot of files that import each other: its size and the shortest way round from its first file. */
export function cycleFindings(files: readonly SourceFile[]): Finding[] {
  const graph = new Map(files.map((f) => [f.path, relativeImports(f)]));
  const knotted = new Set<string>();
  const findings: Finding[] = [];
  for (const path of graph.keys()) {
    if (knotted.has(path)) continue;
    const loop = shortestLoop(graph, path);
    if (loop === null) continue;
    const below = reachedFrom(graph, path);
    const knot = [...below].filter((other) => reachedFrom(graph, other).has(path));
    for (const member of knot) knotted.add(member);
    const way = [...loop.map((edge) => edge.from), path].join(" -> ");
    const others =
      knot.length > loop.length ? ` (all ${knot.length} files of the knot: ${knot.sort().join(", ")})` : "";
    findings.push({ rule: "import-cycle", path, line: loop[0]!.line, detail: way + others });
  }
  return findings;
}

type ImportGraph = ReadonlyMap<string, readonly ImportEdge[]>;

/** All files that a chain of imports leads to from `start`; `start` itself only if a chain leads back. */
function reachedFrom(graph: ImportGraph, start: string): Set<string> {
  const reached = new Set((graph.get(start) ?? []).map((edge) => edge.to));
  for (const path of reached) for (const edge of graph.get(path) ?? []) reached.add(edge.to);
  return reached;
}

/** The shortest chain of imports that leads from a file back to it, null when there is none. Breadth first. */
function shortestLoop(graph: ImportGraph, start: string): ImportEdge[] | null {
  const arrival = new Map<string, ImportEdge>();
  const queue = [start];
  for (const path of queue) {
    for (const edge of graph.get(path) ?? []) {
      if (arrival.has(edge.to)) continue;
      arrival.set(edge.to, edge);
      queue.push(edge.to);
    }
  }
  let edge = arrival.get(start);
  if (edge === undefined) return null;
  const loop = [edge];
  while (edge.from !== start) {
    edge = arrival.get(edge.from)!;
    loop.unshift(edge);
  }
  return loop;
}

/** Files of src that no chain of imports from src/main.ts reaches. Empty while there is no src/main.ts. */
export function unreachableFindings(files: readonly SourceFile[]): Finding[] {
  const byPath = new Map(files.map((f) => [f.path, f]));
  if (!byPath.has("src/main.ts")) return [];
  const reached = new Set(["src/main.ts"]);
  for (const path of reached) {
    const file = byPath.get(path);
    if (file) for (const edge of relativeImports(file)) reached.add(edge.to);
  }
  return files
    .filter((f) => f.path.startsWith("src/") && !reached.has(f.path))
    .map((f) => ({ rule: "reachable", path: f.path, line: 1, detail: "no import chain from src/main.ts leads here" }));
}
