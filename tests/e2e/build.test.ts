// Building: an executable for another folder than the project's, which is where nothing of the project is found by looking upwards.

import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pinnedBun, ROOT, runQuietly } from "../../scripts/lib/project.ts";
import { scratchFolder } from "./support/binary.ts";

const BUILD_LIMIT_MS = 120_000;

test(
  "an executable can be built into any folder",
  async () => {
    const scratch = scratchFolder();
    const built = await runQuietly([pinnedBun(), join(ROOT, "scripts", "build.ts"), "--out", scratch.path]);
    expect([built.exitCode, built.output]).toEqual([0, expect.stringContaining("MiB")]);
    const names = readdirSync(scratch.path).sort();
    expect(names[0]).toBe("SHA256SUMS");
    expect(names[1]).toStartWith("redis-ts");
    expect(names.length).toBe(2);
    const version = await runQuietly([join(scratch.path, names[1]!), "--version"]);
    expect([version.exitCode, version.output]).toEqual([0, expect.stringContaining("v=")]);
    scratch.remove();
  },
  BUILD_LIMIT_MS,
);
