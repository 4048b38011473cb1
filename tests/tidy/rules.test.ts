// Self-test of the tidy rules: every rule must catch a bad sample and let a good one pass.

import { describe, expect, test } from "bun:test";
import {
  cycleFindings,
  layerFindings,
  relativeImports,
  unreachableFindings,
  unresolvedFindings,
} from "../../scripts/tidy/imports.ts";
import { functionLengths } from "../../scripts/tidy/lengths.ts";
import { allFindings, describeFindings, RULE_REASON, shapeFindings, textFindings } from "../../scripts/tidy/rules.ts";
import { type SourceFile, sourceFile } from "../../scripts/tidy/source.ts";

const SLASHES = "//";
const file = (path: string, ...lines: string[]): SourceFile =>
  sourceFile(path, `${SLASHES} Sample.\n${lines.join("\n")}\n`);
const rulesOf = (sample: SourceFile): string[] => textFindings(sample).map((f) => f.rule);

describe("blanking", () => {
  const text =
    'const a = "x // y"; // note\nconst r = /["/]+/g; const t = `p${f({ q: "}" })}s`; const d = a / b / c; /* z */ end();';
  const sample = sourceFile("src/base/a.ts", text);

  test("keeps offsets and line breaks", () => {
    expect(sample.code.length).toBe(text.length);
    expect(sample.code.indexOf("\n")).toBe(text.indexOf("\n"));
    expect(sample.code.indexOf("end()")).toBe(text.indexOf("end()"));
  });

  test("erases comments, strings, templates and regular expressions, and nothing else", () => {
    const squeezed = sample.code.replace(/ +/g, " ");
    expect(squeezed).toBe(
      'const a = " "; \nconst r = / g; const t = ` ${f({ q: " " })} `; const d = a / b / c; end();',
    );
    expect(sample.uncommented).toContain('"x // y"');
    expect(sample.uncommented).not.toContain("note");
  });

  test("escaped quotes and unfinished text do no harm", () => {
    expect(sourceFile("a.ts", '"\\"" + any').code).toBe('"  " + any');
    for (const odd of ["`abc${", "/* open", '"open', "}}}", "`", "/"])
      expect(sourceFile("a.ts", odd).code.length).toBe(odd.length);
  });
});

describe("imports", () => {
  test("are found in every form, and not in strings or comments", () => {
    const sample = file(
      "src/net/a.ts",
      'import { b } from "./b.ts";',
      'import type { C } from "../resp/c.ts";',
      'import "../base/d.ts";',
      'export { e } from "../base/e.ts";',
      'const f = await import("../base/f.ts");',
      '// import { g } from "./g.ts";',
      `const text = 'import { h } from "./h.ts"';`,
      'import { readFileSync } from "node:fs";',
    );
    const expected = ["src/net/b.ts", "src/resp/c.ts", "src/base/d.ts", "src/base/e.ts", "src/base/f.ts"];
    expect(relativeImports(sample).map((e) => e.to)).toEqual(expected);
    expect(relativeImports(sample)[1]!.line).toBe(3);
  });

  test("upwards, sideways and out of src are findings; downwards and inside are not", () => {
    const check = (path: string, target: string) =>
      layerFindings([file(path, `import { x } from "${target}";`)]).length;
    expect(check("src/base/a.ts", "../engine/b.ts")).toBe(1);
    expect(check("src/arena/a.ts", "../resp/b.ts")).toBe(1);
    expect(check("src/net/a.ts", "../main.ts")).toBe(1);
    expect(check("src/net/a.ts", "../../tests/support/b.ts")).toBe(1);
    expect(check("src/nowhere/a.ts", "./b.ts")).toBe(1);
    expect(check("src/stray.ts", "./base/b.ts")).toBe(1);
    expect(check("src/engine/a.ts", "../base/b.ts")).toBe(0);
    expect(check("src/engine/deep/a.ts", "../b.ts")).toBe(0);
    expect(check("src/main.ts", "./cli/b.ts")).toBe(0);
    expect(check("tests/a.test.ts", "../src/engine/b.ts")).toBe(0);
  });

  test("a type-only import upwards is a finding", () => {
    expect(layerFindings([file("src/base/a.ts", 'import type { X } from "../net/b.ts";')])).toHaveLength(1);
  });

  test("cycles are found with their path, chains are not", () => {
    const a = file("src/base/a.ts", 'import { b } from "./b.ts";');
    const b = file("src/base/b.ts", 'import type { C } from "./c.ts";');
    const c = file("src/base/c.ts", 'import { a } from "./a.ts";');
    expect(cycleFindings([a, b, file("src/base/c.ts")])).toEqual([]);
    const found = cycleFindings([a, b, c]);
    expect(found).toHaveLength(1);
    expect(found[0]!.detail).toBe("src/base/a.ts -> src/base/b.ts -> src/base/c.ts -> src/base/a.ts");
    const d = file("src/base/d.ts", 'import { a } from "./a.ts";');
    const back = file("src/base/b.ts", 'import type { C } from "./c.ts";', 'import { d } from "./d.ts";');
    const knot = cycleFindings([a, back, c, d]);
    expect(knot).toHaveLength(1);
    expect(knot[0]!.detail).toContain("all 4 files of the knot");
    expect(cycleFindings([file("src/base/s.ts", 'import { s } from "./s.ts";')])).toHaveLength(1);
  });

  test("a file that main.ts does not reach is a finding, once main.ts exists", () => {
    const dead = file("src/base/dead.ts");
    const used = file("src/base/used.ts");
    const main = file("src/main.ts", 'import { used } from "./base/used.ts";');
    expect(unreachableFindings([dead, used])).toEqual([]);
    expect(unreachableFindings([dead, used, main]).map((f) => f.path)).toEqual(["src/base/dead.ts"]);
  });

  test("an import without extension or without target is a finding", () => {
    const exists = (path: string) => path === "src/base/b.ts" || path === "src/base/b";
    const check = (target: string) =>
      unresolvedFindings([file("src/base/a.ts", `import { b } from "${target}";`)], exists).length;
    expect(check("./b.ts")).toBe(0);
    expect(check("./b")).toBe(1);
    expect(check("./gone.ts")).toBe(1);
  });
});

describe("banned names", () => {
  const bad: [string, string, string][] = [
    ["any", "src/base/a.ts", "let x: any;"],
    ["any", "src/base/a.ts", "const x = y as any;"],
    ["any", "scripts/a.ts", "const x: Array<any> = [];"],
    ["any", "tests/a.test.ts", "function f(x: string | any[]) {}"],
    ["ts-ignore", "src/base/a.ts", `// @ts-${"ignore"}`],
    ["default-export", "src/base/a.ts", "export default 1;"],
    ["clock", "src/net/a.ts", "const t = Date.now();"],
    ["clock", "src/net/a.ts", "const t = performance.now();"],
    ["clock", "src/net/a.ts", "const t = new Date();"],
    ["chance", "src/net/a.ts", "Math.random();"],
    ["console", "src/net/a.ts", "console.log(1);"],
    ["socket", "src/engine/a.ts", "Bun.listen({});"],
    ["disk", "src/engine/a.ts", "Bun.file(path);"],
    ["json-clone", "src/engine/a.ts", "JSON.parse(JSON.stringify(x));"],
    ["todo", "src/engine/a.ts", `// TO${"DO"} later`],
    ["vague-name", "src/engine/a.ts", "class KeyManager {}"],
    ["skip", "tests/a.test.ts", 'test.skip("x", () => {});'],
  ];
  for (const [rule, path, line] of bad) {
    test(`${rule}: ${line}`, () => expect(rulesOf(file(path, line))).toEqual([rule]));
  }

  const good: [string, string][] = [
    ["src/net/a.ts", "// any client may call Date.now( here\nconst text = 'as any: console.log';"],
    ["src/base/clock.ts", "const t = Date.now();"],
    ["src/base/prng.ts", "Math.random();"],
    ["src/net/a.ts", "Bun.listen({}); const anyKey = company; if (any.length) f(x.any);"],
    ["scripts/a.ts", "console.log(Date.now());"],
    ["src/base/a.ts", "const when = new Date(ms); const company: anyThing = 1;"],
    ["tests/a.test.ts", "describe.skipIf(missing)('x', () => {});"],
  ];
  for (const [path, line] of good) {
    test(`fine: ${path} ${line}`, () => expect(rulesOf(file(path, line))).toEqual([]));
  }
});

describe("shape", () => {
  const shape = (path: string, text: string) => shapeFindings(sourceFile(path, text)).map((f) => f.rule);

  test("a file opens with a comment", () => {
    expect(shape("src/base/a.ts", "export const x = 1;\n")).toEqual(["opening-comment"]);
    expect(shape("src/base/a.ts", "// What it is.\nexport const x = 1;\n")).toEqual([]);
    expect(shape("scripts/a.ts", "#!/usr/bin/env bun\n/* What it is. */\n")).toEqual([]);
  });

  test("names are kebab-case, and index.ts is only in commands", () => {
    expect(shape("src/base/BadName.ts", "// x\n")).toEqual(["file-name"]);
    expect(shape("src/base/bad_name.ts", "// x\n")).toEqual(["file-name"]);
    expect(shape("src/base/index.ts", "// x\n")).toEqual(["file-name"]);
    expect(shape("src/base/utils.ts", "// x\n")).toEqual(["vague-name"]);
    expect(shape("src/commands/index.ts", "// x\n")).toEqual([]);
    expect(shape("tests/a/good-name.test.ts", "// x\n")).toEqual([]);
  });
});

test("every rule has a reason, and the report prints it", () => {
  const samples = [sourceFile("src/base/Bad.ts", 'import { n } from "../net/n";\nlet x: any;\n')];
  const findings = allFindings(samples, () => false);
  const report = describeFindings(findings);
  for (const rule of ["layer-rank", "import-names-file", "file-name", "opening-comment", "any"]) {
    expect(report).toContain(`${rule}: ${RULE_REASON[rule]}`);
  }
  for (const reason of Object.values(RULE_REASON)) expect(reason.length).toBeGreaterThan(20);
});

test("functions are measured in all their forms, other blocks are not", () => {
  const sample = file(
    "src/base/a.ts",
    "export function plain(a: number): string {",
    "  if (a) {",
    "    for (;;) {",
    "    }",
    "  }",
    "}",
    "const arrow = (x: number) => {",
    "};",
    "class K {",
    "  method<T>(x: T): Map<string, T> {",
    "  }",
    "}",
  );
  const found = functionLengths(sample).map((f) => [f.name, f.lineCount, f.line]);
  expect(found).toEqual([
    ["plain", 6, 2],
    ["arrow", 2, 8],
    ["method", 2, 11],
  ]);
});
