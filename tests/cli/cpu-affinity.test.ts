// Lists of processors, and the thread that they are for.

import { expect, test } from "bun:test";
import { availableParallelism } from "node:os";
import { parseCpuList } from "../../src/base/cpu-affinity.ts";
import type { RespClient } from "../support/client.ts";
import { startServer } from "../support/server.ts";

/** The numbers of the processors that a list names, or null. */
function numbersOf(list: string): number[] | null {
  const set = parseCpuList(list);
  if (set === null) return null;
  return Array.from({ length: set.length * 8 }, (_, cpu) => cpu).filter((cpu) => (set[cpu >> 3] >> (cpu & 7)) & 1);
}

test("lists name processors by number, range, and range with a step", () => {
  for (const [list, numbers] of [
    ["0", [0]],
    ["0,2,3", [0, 2, 3]],
    ["0,2-3", [0, 2, 3]],
    ["1-12:4,63", [1, 5, 9, 63]],
    ["1022-2000", [1022, 1023]],
    ["5000", []],
  ] as const) {
    expect([list, numbersOf(list)]).toEqual([list, [...numbers]]);
  }
});

test("what is no list names nothing", () => {
  for (const list of ["", "a", "0,", ",0", "3-1", "0-3:0", "0-", "0:2", "-1", "0 ", "0x3", "1-2-3"])
    expect([list, numbersOf(list)]).toEqual([list, null]);
});

/** The processors that a process may run on, as the kernel lists them. */
async function allowed(pid: number): Promise<string> {
  const status = await Bun.file(`/proc/${pid}/status`).text();
  return /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? "";
}

test.skipIf(process.platform !== "linux" || availableParallelism() < 2)(
  "a server and its child run where the settings say",
  async () => {
    const server = await startServer([
      ...["--server-cpulist", "0", "--bgsave-cpulist", "1", "--aof-rewrite-cpulist", "nonsense"],
      ...["--rdb-key-save-delay", "10000000"],
    ]);
    try {
      const client: RespClient = await server.connect();
      expect(await allowed(server.pid)).toBe("0");
      await client.call("SET", "k", "v");
      await client.call("BGSAVE");
      const child = Number((await Bun.$`pgrep -P ${server.pid}`.text()).trim());
      for (let tries = 0; tries < 400 && (await allowed(child)) !== "1"; tries++) await Bun.sleep(20);
      expect(await allowed(child)).toBe("1");
      process.kill(child, "SIGKILL");
      expect(server.log()).not.toContain("cpulist");
    } finally {
      await server.stop();
    }
  },
);

test.skipIf(process.platform !== "linux")("a list that is none is told in the log, and the server starts", async () => {
  const server = await startServer(["--server-cpulist", "0-"]);
  try {
    expect(server.log()).toContain("server-cpulist has no effect");
  } finally {
    await server.stop();
  }
});
