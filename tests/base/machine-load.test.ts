// How many tasks want a processor, from the system's line about it.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { processorsAreShort, runningTasks } from "../../src/base/machine-load.ts";

test("the tasks that want to run are found in the line", () => {
  expect(runningTasks("0.20 0.18 0.12 3/80 11206\n")).toBe(3);
  expect(runningTasks("103.04 99.50 88.01 112/4096 4194303\n")).toBe(112);
  for (const line of ["", "0.20 0.18 0.12", "a/b", "1 2 3 4 5"]) expect(runningTasks(line)).toBe(0);
});

test.if(process.platform === "linux")("the system's own line has whoever reads it", () => {
  expect(runningTasks(readFileSync("/proc/loadavg", "latin1"))).toBeGreaterThan(0);
});

test.if(process.platform === "linux")("more busy processes than processors are seen", async () => {
  const spin = "for (;;);";
  const spinners = Array.from({ length: navigator.hardwareConcurrency + 4 }, () =>
    Bun.spawn([process.execPath, "-e", spin], { stdout: "ignore", stderr: "ignore" }),
  );
  try {
    for (let tries = 0; !processorsAreShort(); tries++) {
      if (tries === 2000) throw new Error("nobody sees them");
      await Bun.sleep(5);
    }
  } finally {
    for (const spinner of spinners) spinner.kill("SIGKILL");
  }
});
