// Runs the tests, one `bun test` for each folder of tests/, and adds up what really ran.
// usage: test [folder ...] [-- options of bun test]
//
// Without folders all of them run except e2e, which needs a built executable and runs when REDIS_TS_BINARY names one.
// A folder whose process dies, or a test file that reports no test, counts as a failure: silence never passes.
// The last line is `N passed, N failed`; the exit status is 0 only when nothing failed.

import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { ORACLE_TAG, oracleAvailable } from "../tests/support/oracle.ts";
import { fail, pinnedBun, ROOT, say, seconds, TEST_TIMEOUT_MS } from "./lib/project.ts";
import { type Report, readReport } from "./lib/test-report.ts";

const TESTS = join(ROOT, "tests");
const requireOracle = process.env.REDIS_TS_REQUIRE_ORACLE === "1";

function testFiles(folder: string): string[] {
  return globSync(join(TESTS, folder, "**", "*.test.ts")).sort();
}

function allFolders(): string[] {
  const folders = readdirSync(TESTS, { withFileTypes: true }).filter((e) => e.isDirectory());
  const wanted = folders
    .map((e) => e.name)
    .filter((name) => name !== "e2e" || process.env.REDIS_TS_BINARY !== undefined);
  return wanted.filter((name) => testFiles(name).length > 0).sort();
}

/** Runs one folder with its output on the terminal. */
async function runFolder(folder: string, options: string[], scratch: string): Promise<Report> {
  const files = testFiles(folder);
  if (files.length === 0) fail(`tests/${folder} has no test file`);
  const reportPath = join(scratch, `${basename(folder)}.xml`);
  const flags = [`--timeout=${TEST_TIMEOUT_MS}`, "--reporter=junit", `--reporter-outfile=${reportPath}`, ...options];
  const child = Bun.spawn([pinnedBun(), "test", ...flags, ...files], {
    cwd: ROOT,
    stdout: "inherit",
    stderr: "inherit",
  });
  const exitCode = await child.exited;
  const xml = existsSync(reportPath) ? readFileSync(reportPath, "utf8") : null;
  return readReport(xml, exitCode, options.length === 0 ? files.map((f) => relative(ROOT, f)) : []);
}

const separator = process.argv.indexOf("--", 2);
const folderArguments = process.argv.slice(2, separator < 0 ? undefined : separator);
const bunTestOptions = separator < 0 ? [] : process.argv.slice(separator + 1);
const folders = folderArguments.length > 0 ? folderArguments.map((f) => f.replace(/^tests\//, "")) : allFolders();

const scratch = mkdtempSync(join(tmpdir(), "redis-ts-test-"));
let passed = 0;
let failed = 0;
let oracleSkips = 0;
const notes: string[] = [];
for (const folder of folders) {
  say(`\n== tests/${folder}`);
  const startMs = performance.now();
  const report = await runFolder(folder, bunTestOptions, scratch);
  const oracle = report.skipped.filter((name) => name.includes(ORACLE_TAG));
  const other = report.skipped.filter((name) => !name.includes(ORACLE_TAG));
  passed += report.passed;
  failed += report.failed.length + report.losses.length;
  oracleSkips += oracle.length;
  notes.push(
    `${folder.padEnd(14)} ${report.passed} passed, ${report.failed.length + report.losses.length} failed, ` +
      `${report.skipped.length} skipped (${seconds(performance.now() - startMs)})`,
    ...report.failed.map((test) => `  FAILED: ${test.replaceAll("\n", "\n    ")}`),
    ...report.losses.map((loss) => `  FAILED: ${loss}`),
    ...other.map((name) => `  SKIPPED: ${name}`),
  );
}
rmSync(scratch, { recursive: true, force: true });

say("\n== summary");
for (const note of notes) say(note);
if (oracleSkips > 0) {
  say("");
  say(`!! ${oracleSkips} ORACLE TESTS SKIPPED: they compare with a real redis-server, and none is on the PATH.`);
  say("!! Install redis-server to run them; the rest of the tests does not need it.");
  if (requireOracle) failed += oracleSkips;
}
if (requireOracle && !oracleAvailable() && oracleSkips === 0) {
  say("!! REDIS_TS_REQUIRE_ORACLE=1, but there is no redis-server on the PATH.");
  failed++;
}
say(`\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
