// Small files, read without a Buffer.

import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSmallFile, readSmallText } from "../../src/base/small-file.ts";

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
