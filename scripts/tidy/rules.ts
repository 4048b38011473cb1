// The rules about single files and names, each with its reason, and the one function that applies all rules.

import { basename } from "node:path";
import { cycleFindings, type Finding, layerFindings, unreachableFindings, unresolvedFindings } from "./imports.ts";
import { lineAt, type SourceFile } from "./source.ts";

/** Why each rule exists; printed with every finding. */
export const RULE_REASON: Readonly<Record<string, string>> = {
  "layer-rank": "layers that import only downwards can be read, tested and replaced one at a time",
  "import-cycle": "files that import each other can only be understood, loaded and tested together",
  "import-names-file": "an import that names its file with extension is found without guessing, by people and by tools",
  reachable: "a file that the program never loads is dead, and dead code misleads its readers",
  "opening-comment": "a reader must learn in the first line what a file is, its layout and its invariant",
  "file-name": "kebab-case names look alike on every file system; index.ts hides where a thing is defined",
  "vague-name": "Manager, Helper and Util say nothing; name the thing by what it is or does",
  any: "any switches the type checker off exactly where it is needed",
  "ts-ignore": "a silenced checker finds nothing; state the type instead",
  "default-export": "a default export has a different name in every importing file",
  clock: "time is a parameter: only base/clock reads it, so that tests can set it",
  chance: "chance is a parameter: only base/prng makes it, so that a seed repeats a run",
  console: "a server writes through its log, in its format and at its level",
  socket: "net is the only folder that opens sockets, so that everything below runs without them",
  disk: "files go through the disk interface, so that tests can use one in memory",
  "json-clone": "cloning through JSON loses bytes, dates and undefined; structuredClone does not",
  todo: "unfinished work belongs where it is planned, not where it is forgotten",
  skip: "a test that is switched off silently is not a test; the oracle and end-to-end helpers skip aloud",
};

interface TextRule {
  readonly rule: string;
  readonly pattern: RegExp;
  /** Which text of the file is searched. */
  readonly where: "code" | "text";
  /** Whether the rule applies to a path. */
  readonly applies: (path: string) => boolean;
}

const everywhere = () => true;
const inSource = (path: string) => path.startsWith("src/");
const inTests = (path: string) => path.startsWith("tests/");
const inSourceBut = (prefix: string) => (path: string) => path.startsWith("src/") && !path.startsWith(prefix);

const TEXT_RULES: readonly TextRule[] = [
  {
    rule: "any",
    pattern: /(?:[:<|&,([]|\bas|\bextends|\bis|=>|=)\s*any\b(?!\s*[(.:=])/g,
    where: "code",
    applies: everywhere,
  },
  { rule: "ts-ignore", pattern: /@ts-(?:ignore|nocheck)\b/g, where: "text", applies: everywhere },
  { rule: "default-export", pattern: /\bexport\s+default\b|\bas\s+default\b/g, where: "code", applies: everywhere },
  {
    rule: "clock",
    pattern: /\bDate\.now\b|\bperformance\.now\b|\bnew\s+Date\s*\(\s*\)|\bprocess\.hrtime\b|\bBun\.nanoseconds\b/g,
    where: "code",
    applies: inSourceBut("src/base/clock"),
  },
  { rule: "chance", pattern: /\bMath\.random\b/g, where: "code", applies: inSourceBut("src/base/prng") },
  { rule: "console", pattern: /\bconsole\s*\./g, where: "code", applies: inSource },
  {
    rule: "socket",
    pattern: /\bBun\.(?:listen|connect|udpSocket)\b/g,
    where: "code",
    applies: inSourceBut("src/net/"),
  },
  { rule: "disk", pattern: /\bBun\.(?:file|write)\b/g, where: "code", applies: inSourceBut("src/persistence/disk") },
  { rule: "json-clone", pattern: /\bJSON\.parse\s*\(\s*JSON\.stringify\b/g, where: "code", applies: everywhere },
  {
    rule: "todo",
    pattern: new RegExp(`\\b(?:TO${"DO"}|FIX${"ME"}|XX${"X"}|HA${"CK"})\\b`, "g"),
    where: "text",
    applies: inSource,
  },
  {
    rule: "vague-name",
    pattern: /\b(?:class|interface|type)\s+\w*(?:Manager|Helper|Util)s?\b/g,
    where: "code",
    applies: everywhere,
  },
  { rule: "skip", pattern: /\b(?:test|it|describe)\.(?:skip|only|todo)\b/g, where: "code", applies: inTests },
];

/** Where a file uses a banned name. */
export function textFindings(file: SourceFile): Finding[] {
  const findings: Finding[] = [];
  for (const rule of TEXT_RULES) {
    if (!rule.applies(file.path)) continue;
    for (const match of file[rule.where].matchAll(rule.pattern)) {
      findings.push({
        rule: rule.rule,
        path: file.path,
        line: lineAt(file.text, match.index),
        detail: match[0].trim(),
      });
    }
  }
  return findings;
}

/** What the path and the first line of a file say about it. */
export function shapeFindings(file: SourceFile): Finding[] {
  const findings: Finding[] = [];
  const report = (rule: string, detail: string) => findings.push({ rule, path: file.path, line: 1, detail });
  const name = basename(file.path);
  if (!/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.test|\.bench|\.d)?\.ts$/.test(name))
    report("file-name", `${name} is not kebab-case`);
  if (name === "index.ts" && file.path !== "src/commands/index.ts")
    report("file-name", "index.ts outside src/commands");
  if (/^(?:utils?|helpers?|manager|misc|common)\.ts$/.test(name)) report("vague-name", name);
  const opening = file.text.startsWith("#!") ? file.text.slice(file.text.indexOf("\n") + 1) : file.text;
  if (!file.path.startsWith("tests/") && !/^\/[/*]/.test(opening.trimStart()))
    report("opening-comment", "the file does not open with a comment");
  return findings;
}

/** Every broken rule of a set of files. `exists` answers for paths from the project root. */
export function allFindings(files: readonly SourceFile[], exists: (path: string) => boolean): Finding[] {
  return [
    ...layerFindings(files),
    ...cycleFindings(files),
    ...unresolvedFindings(files, exists),
    ...unreachableFindings(files),
    ...files.flatMap(shapeFindings),
    ...files.flatMap(textFindings),
  ];
}

/** Findings as text, grouped under the reason of their rule. */
export function describeFindings(findings: readonly Finding[]): string {
  const byRule = Map.groupBy(findings, (f) => f.rule);
  const groups = [...byRule].map(([rule, list]) => {
    const places = list.map((f) => `  ${f.path}:${f.line}: ${f.detail}`);
    return [`${rule}: ${RULE_REASON[rule]}`, ...places].join("\n");
  });
  return groups.join("\n");
}
