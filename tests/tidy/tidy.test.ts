// The style guide as a test: the rules of scripts/tidy applied to the project's own sources.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { lengthNews } from "../../scripts/tidy/lengths.ts";
import { projectFiles, projectPathExists, ROOT } from "../../scripts/tidy/project.ts";
import { allFindings, describeFindings } from "../../scripts/tidy/rules.ts";

const files = projectFiles("src", "tests", "scripts");
const findings = allFindings(files, projectPathExists);

function broken(...rules: string[]): string {
  return describeFindings(findings.filter((f) => rules.includes(f.rule)));
}

test("layers import only downwards", () => {
  expect(broken("layer-rank")).toBe("");
});

test("no import cycles", () => {
  expect(broken("import-cycle")).toBe("");
});

test("imports name existing files, and main.ts reaches every source file", () => {
  expect(broken("import-names-file", "reachable")).toBe("");
});

test("files are named and opened as agreed", () => {
  expect(broken("file-name", "opening-comment", "vague-name")).toBe("");
});

test("no banned names", () => {
  const others = [
    "layer-rank",
    "import-cycle",
    "import-names-file",
    "reachable",
    "file-name",
    "opening-comment",
    "vague-name",
  ];
  expect(describeFindings(findings.filter((f) => !others.includes(f.rule)))).toBe("");
});

test("the lock file names no host, so that it installs from any registry", () => {
  expect(readFileSync(join(ROOT, "package-lock.json"), "utf8")).not.toContain('"resolved"');
});

test("there is something to check", () => {
  expect(files.length).toBeGreaterThan(5);
  process.stdout.write(
    `${lengthNews(
      files.filter((f) => f.path.startsWith("src/")),
      10,
    )}\n`,
  );
});
