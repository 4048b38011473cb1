// A first save changes the shape of no object that compiled code knows: it would be thrown away, a busy server's commands with it. The shapes are those of a
// process of its own, where nothing else has changed them before.

import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SOURCES = join(import.meta.dir, "..", "..", "src");

const PROGRAM = `
  import { describe } from "bun:jsc";
  import { ManualClock } from ${JSON.stringify(join(SOURCES, "base", "clock.ts"))};
  import { Logger } from ${JSON.stringify(join(SOURCES, "base", "log.ts"))};
  import { ChildFile } from ${JSON.stringify(join(SOURCES, "persistence", "child", "child-file.ts"))};

  // The child is this program again.
  if (process.argv[2] !== undefined) process.exit(0);
  // "Leaf" says that no object of a shape was ever given another one.
  const shapes = () => ({
    process: /StructureID: \\d+/.exec(describe(process))[0],
    functions: [describe(() => {}), describe(function () {})].map((text) => text.includes(", Leaf")),
  });
  process.threadCpuUsage();
  void Bun.main;
  const log = new Logger({ clock: new ManualClock(0), file: "/dev/null", starting: true });
  log.notice("starting");
  log.started();
  const before = shapes();
  log.notice("started");
  const order = { temporary: "temp-%.rdb", name: "x.rdb", syncBytes: 0, checksum: false, processors: "", oomScore: null };
  const child = new ChildFile(order, "child", () => {}, () => {});
  const after = shapes();
  child.killNow();
  console.log(JSON.stringify([before, after]));
  process.exit(0);
`;

test("logging and the start of a child change no shape", () => {
  const folder = mkdtempSync(join(tmpdir(), "redis-ts-shapes-"));
  try {
    writeFileSync(join(folder, "main.ts"), PROGRAM);
    const { stdout, stderr } = Bun.spawnSync([process.execPath, "main.ts"], { cwd: folder });
    expect(stderr.toString()).toBe("");
    const [before, after] = JSON.parse(stdout.toString()) as unknown[];
    expect(after).toEqual(before);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
