// Static checks, side by side: types (tsc), lint and format (Biome, nothing is written), and the tidy test.
// usage: check

import { join } from "node:path";
import { pinnedBun, ROOT, runQuietly, say, seconds, TEST_TIMEOUT_MS } from "./lib/project.ts";

const bun = pinnedBun();
const tool = (...path: string[]): string => join(ROOT, "node_modules", ...path);

const CHECKS: readonly { name: string; command: string[] }[] = [
  { name: "types", command: [bun, tool("typescript", "bin", "tsc"), "--noEmit", "-p", ROOT] },
  {
    name: "lint and format",
    command: [
      bun,
      tool("@biomejs", "biome", "bin", "biome"),
      "check",
      "--error-on-warnings",
      "--max-diagnostics=50",
      ROOT,
    ],
  },
  { name: "tidy", command: [bun, "test", `--timeout=${TEST_TIMEOUT_MS}`, join(ROOT, "tests", "tidy")] },
];

const startMs = performance.now();
const results = await Promise.all(CHECKS.map(async (check) => ({ ...check, ...(await runQuietly(check.command)) })));
for (const result of results) {
  const failed = result.exitCode !== 0;
  if (failed) say(result.output.trimEnd());
  say(`${failed ? "FAILED" : "ok    "} ${result.name} (${seconds(result.elapsedMs)})`);
}
const failed = results.filter((r) => r.exitCode !== 0).length;
say(`${results.length - failed} checks passed, ${failed} failed in ${seconds(performance.now() - startMs)}`);
process.exit(failed === 0 ? 0 : 1);
