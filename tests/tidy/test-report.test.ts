// The totals of a test run must be true: a dead process, a silent file or a skipped test never counts as passed.

import { expect, test } from "bun:test";
import { readReport } from "../../scripts/lib/test-report.ts";

const testcase = (name: string, inside = "") => {
  const tag = `<testcase name="${name}" classname="group &gt; &quot;a&quot;" file="tests/x/a.test.ts" line="1"`;
  return inside === "" ? `${tag} />` : `${tag}>${inside}</testcase>`;
};
const xml = (...cases: string[]) =>
  `<testsuites><testsuite name="x" file="tests/x/a.test.ts">${cases.join("\n")}</testsuite></testsuites>`;
const FILES = ["tests/x/a.test.ts"];

test("passed, failed and skipped tests are told apart", () => {
  const report = readReport(
    xml(
      testcase("a"),
      testcase("b", "<failure message='x'>y &lt; z&#10;&#10;Received: 2&#10;</failure>"),
      testcase("c", "<skipped />"),
    ),
    1,
    FILES,
  );
  expect(report).toEqual({
    passed: 1,
    failed: ['tests/x/a.test.ts: group > "a" > b\ny < z\nReceived: 2'],
    skipped: ['group > "a" > c'],
    losses: [],
  });
});

test("a run without a report is lost, even with status 0", () => {
  expect(readReport(null, 0, FILES).losses).toHaveLength(1);
});

test("a file that reported nothing is lost", () => {
  const report = readReport(xml(testcase("a")), 0, [...FILES, "tests/x/b.test.ts"]);
  expect(report.losses).toEqual(["tests/x/b.test.ts reported no test"]);
});

test("a bad status without a failed test is a loss", () => {
  expect(readReport(xml(testcase("a")), 1, FILES).losses).toHaveLength(1);
  expect(readReport(xml(testcase("a")), 0, FILES).losses).toEqual([]);
});
