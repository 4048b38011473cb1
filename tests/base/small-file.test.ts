// Small files, read without a Buffer.

import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSmallFile, readSmallText, readWholeFile } from "../../src/base/small-file.ts";

test("as bytes up to a limit, as text, and with the system's error", () => {
  const dir = mkdtempSync(join(tmpdir(), "redis-ts-small-"));
  const path = join(dir, "file");
  writeFileSync(path, "4096\n");
  expect(readSmallText(path)).toBe("4096\n");
  expect(readSmallFile(path, 2)).toEqual(new Uint8Array([52, 48]));
  writeFileSync(path, "");
  expect(readSmallText(path)).toBe("");
  expect(() => readSmallText(join(dir, "missing"))).toThrow("ENOENT");
  rmSync(dir, { recursive: true });
});

test("a whole file, whatever size it is or says it is", () => {
  const dir = mkdtempSync(join(tmpdir(), "redis-ts-whole-"));
  const path = join(dir, "file");
  for (const size of [0, 1, 16_383, 16_384, 16_385, 100_000]) {
    const bytes = Uint8Array.from({ length: size }, (_, index) => index * 7);
    writeFileSync(path, bytes);
    expect(readWholeFile(path)).toEqual(bytes);
  }
  expect(() => readWholeFile(dir)).toThrow("EISDIR");
  if (process.platform === "linux") expect(readWholeFile("/proc/self/stat").length).toBeGreaterThan(0);
  rmSync(dir, { recursive: true });
});
