// Code that reads typed arrays stays compiled when buffers are detached, once a process has been told that they are.

import { expect, test } from "bun:test";
import { fileURLToPath } from "node:url";

const MODULE = fileURLToPath(new URL("../../src/base/compilation.ts", import.meta.url));

/** Has a function compiled, detaches a buffer, and goes on. The runtime says what it compiles. */
const PROGRAM = `
  if (process.argv.at(-1) === "told") (await import(${JSON.stringify(MODULE)})).compileFromHereOn();
  function sumOfBytes(bytes) {
    let sum = 0;
    for (let i = 0; i < bytes.length; i++) sum += bytes[i];
    return sum;
  }
  const bytes = new Uint8Array(1000);
  async function work() {
    for (let i = 0; i < 10000; i++) {
      sumOfBytes(bytes);
      if (i % 500 === 0) await Bun.sleep(1);
    }
  }
  await work();
  console.error("detached");
  new Uint8Array(5000).buffer.transfer(0);
  await work();
`;

/** How often the function was compiled before the buffer was detached, and after. */
function compilations(how: string): [before: number, after: number] {
  const { stderr } = Bun.spawnSync([process.execPath, "-e", PROGRAM, how], {
    env: { ...process.env, BUN_JSC_reportCompileTimes: "1" },
    stderr: "pipe",
  });
  const halves = stderr.toString().split("detached\n");
  expect(halves).toHaveLength(2);
  return halves.map((half) => half.split("Optimized sumOfBytes").length - 1) as [number, number];
}

test("the first detached buffer costs compiled code, unless it came early", () => {
  const [before, after] = compilations("told");
  expect(before).toBeGreaterThan(0);
  expect(after).toBe(0);
  // This is what it is for. Once the runtime no longer needs it, it can go.
  expect(compilations("untold")[1]).toBeGreaterThan(0);
}, 30_000);
