// Calls by way of the C library: what they do, and that what fails is told as node:fs tells it.

import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  closeFile,
  fillRandomly,
  isFileThere,
  isTerminal,
  openFile,
  readBytes,
  writeBytes,
} from "../../src/base/system-calls.ts";

const folder = mkdtempSync(join(tmpdir(), "redis-ts-files-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "none";
  }
  return "no error";
}

/** Appends a text to a file and closes it. */
function append(path: string | Buffer, text: string): number {
  const fd = openFile(path, "a");
  const count = writeBytes(fd, Buffer.from(text));
  closeFile(fd);
  return count;
}

test("a file is made, appended to and read from its beginning", () => {
  const path = join(folder, "plain");
  expect(append(path, "first ")).toBe(6);
  expect(append(path, "second")).toBe(6);
  expect(statSync(path).mode & 0o133).toBe(0);
  const fd = openFile(path, "r");
  const bytes = new Uint8Array(8);
  expect(readBytes(fd, bytes)).toBe(8);
  expect(Buffer.from(bytes).toString()).toBe("first se");
  expect(readBytes(fd, bytes)).toBe(4);
  expect(readBytes(fd, bytes)).toBe(0);
  closeFile(fd);
});

test("a part of a buffer is read into and written from", () => {
  const path = join(folder, "part");
  const bytes = Buffer.from("..middle..");
  const fd = openFile(path, "a");
  expect(writeBytes(fd, bytes.subarray(2, 8))).toBe(6);
  closeFile(fd);
  const reading = openFile(path, "r");
  const target = Buffer.from("..........");
  expect(readBytes(reading, target.subarray(3, 6))).toBe(3);
  closeFile(reading);
  expect(target.toString()).toBe("...mid....");
});

test("names that are not ASCII are the runtime's, as text and as bytes", () => {
  expect(append(join(folder, "näme"), "a")).toBe(1);
  expect(append(Buffer.from(`${folder}/\xff`, "latin1"), "b")).toBe(1);
  expect(readFileSync(join(folder, "näme"), "utf8")).toBe("a");
  expect(isFileThere(join(folder, "näme"))).toBe(true);
  expect(isFileThere(Buffer.from(`${folder}/\xff`, "latin1"))).toBe(true);
  expect(isFileThere(Buffer.from(`${folder}/\xfe`, "latin1"))).toBe(false);
});

test("what is there", () => {
  writeFileSync(join(folder, "target"), "");
  symlinkSync("target", join(folder, "link"));
  symlinkSync("nowhere", join(folder, "dangling"));
  expect(isFileThere(join(folder, "link"))).toBe(true);
  expect(isFileThere(join(folder, "dangling"))).toBe(false);
  expect(isFileThere(folder)).toBe(true);
});

test("failures are errors of the system", () => {
  expect(codeOf(() => openFile(join(folder, "missing"), "r"))).toBe("ENOENT");
  expect(codeOf(() => openFile(folder, "a"))).toBe("EISDIR");
  const fd = openFile(folder, "r");
  expect(codeOf(() => readBytes(fd, new Uint8Array(1)))).toBe("EISDIR");
  expect(codeOf(() => writeBytes(fd, new Uint8Array(1)))).toBe("EBADF");
  closeFile(fd);
});

test("a file and a pipe are no terminals", () => {
  const fd = openFile(folder, "r");
  expect(isTerminal(fd)).toBe(false);
  closeFile(fd);
  expect(isTerminal(fd)).toBe(false);
});

test("random bytes fill what they are asked to, and nothing else", () => {
  const bytes = new Uint8Array(40);
  fillRandomly(bytes.subarray(4, 36));
  expect([...bytes.subarray(0, 4), ...bytes.subarray(36)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  expect(new Set(bytes.subarray(4, 36)).size).toBeGreaterThan(8);
});
