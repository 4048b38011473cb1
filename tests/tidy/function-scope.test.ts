// Chunks of the executable whose code was moved into functions: that they do what they did, and that what could change them is refused.

import { expect, test } from "bun:test";
import { join } from "node:path";
import { inFunction, refuseChangingExports } from "../../scripts/lib/function-scope.ts";
import { readSources } from "../../scripts/lib/start-chunk.ts";
import { scratchFolder } from "../e2e/support/binary.ts";

const LEFT = `// @bun
var three = 3;
function twice(n) {
  return 2 * n * one;
}
var one = 1;

export { three, twice as double };
`;
const RIGHT = `// @bun
import {
  three,
  double as twice
} from "./left.js";
import"./left.js";
import { join as join2 } from "path";
var load = () => import.meta.require("./left.js").double(5);
var later = () => import("./left.js");

export { six, load, later };
var six = twice(three) + join2("").length - 1;
`;

test("a chunk exports the same from within a function", async () => {
  const folder = scratchFolder();
  await Bun.write(join(folder.path, "left.js"), inFunction(LEFT));
  await Bun.write(join(folder.path, "right.js"), inFunction(RIGHT));
  const left = await import(join(folder.path, "left.js"));
  const right = await import(join(folder.path, "right.js"));
  expect([left.three, left.double(2), Object.keys(left).sort()]).toEqual([3, 4, ["double", "three"]]);
  expect([right.six, right.load(), (await right.later()).three]).toEqual([6, 10, 3]);
  expect(inFunction(LEFT)).toContain("(() => {\n// @bun\nvar three = 3;\n");
  folder.remove();
});

test("imports and exports of another form are refused", () => {
  for (const line of ['import x from "y";', 'import * as x from "y";', "export default 1;", 'export * from "y";'])
    expect(() => inFunction(`${line}\n`)).toThrow(line);
});

test("no source exports a variable", () => {
  refuseChangingExports(readSources());
  expect(() => refuseChangingExports(new Map([["a.ts", "\nexport let n = 0;\n"]]))).toThrow("a.ts");
});
