// Reads the JUnit report of `bun test` and says what happened, including what the report leaves out.

/** What one run of `bun test` amounted to. */
export interface Report {
  readonly passed: number;
  /** Failed tests: the file, the name with its groups, and the first lines of what it said. */
  readonly failed: readonly string[];
  /** Names of skipped tests, with their groups. */
  readonly skipped: readonly string[];
  /** Failures that no test reported: a dead process, a file that ran nothing. */
  readonly losses: readonly string[];
}

/** A failure's message is as long as the values it compares: this much of it is enough to know which it was. */
const FAILURE_LINES = 12;
const FAILURE_CHARS = 1000;

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", "#10": "\n" };

function attribute(tag: string, name: string): string {
  const match = new RegExp(`\\s${name}="([^"]*)"`).exec(tag);
  return unescaped(match?.[1] ?? "");
}

function unescaped(text: string): string {
  return text.replace(/&(#?\w+);/g, (all, entity: string) => ENTITIES[entity] ?? all);
}

/** The first lines of what a failed test said, from its testcase element. */
function failureText(testcase: string): string {
  const text = unescaped(/<(?:failure|error)\b[^>]*>([\s\S]*?)<\//.exec(testcase)?.[1] ?? "");
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.slice(0, FAILURE_LINES).join("\n").slice(0, FAILURE_CHARS);
}

/**
 * Counts a report.
 * @param xml the report, null when the run wrote none
 * @param exitCode of the run
 * @param files the test files that must appear in the report, as paths from the project's folder
 */
export function readReport(xml: string | null, exitCode: number, files: readonly string[]): Report {
  let passed = 0;
  const failed: string[] = [];
  const skipped: string[] = [];
  const losses: string[] = [];
  if (xml === null) losses.push(`the test process ended with status ${exitCode} and without a report`);
  const seen = new Set<string>();
  for (const match of (xml ?? "").matchAll(/<testcase\b[^>]*?(\/>|>[\s\S]*?<\/testcase>)/g)) {
    const tag = /^<testcase\b[^>]*>/.exec(match[0])![0];
    const file = attribute(tag, "file");
    seen.add(file);
    const name = [attribute(tag, "classname"), attribute(tag, "name")].filter((part) => part !== "").join(" > ");
    if (match[1] === "/>") passed++;
    else if (/<(?:failure|error)\b/.test(match[0])) failed.push(`${file}: ${name}\n${failureText(match[0])}`);
    else if (/<skipped\b/.test(match[0])) skipped.push(name);
    else passed++;
  }
  if (xml !== null) {
    const isSeen = (file: string) => [...seen].some((path) => path === file || path.endsWith(`/${file}`));
    for (const file of files) if (!isSeen(file)) losses.push(`${file} reported no test`);
    if (exitCode !== 0 && failed.length === 0 && losses.length === 0) {
      losses.push(`the test process ended with status ${exitCode} although no test failed`);
    }
  }
  return { passed, failed, skipped, losses };
}
