// The configuration over real files.

import { afterAll, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toBinary } from "../../src/config/binary.ts";
import { Config } from "../../src/config/config.ts";
import { errnoText } from "../../src/config/errno.ts";
import { osHost } from "../../src/config/host.ts";
import { PERSONALITIES } from "../../src/config/personality.ts";

const folder = mkdtempSync(join(tmpdir(), "redis-ts-config-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("patterns match one path segment at a time, in order, without dot files", () => {
  mkdirSync(join(folder, "d/x"), { recursive: true });
  mkdirSync(join(folder, "d/y"));
  for (const name of ["d/x/b.conf", "d/x/a.conf", "d/x/.c.conf", "d/x/a.txt", "d/y/a.conf"]) {
    writeFileSync(join(folder, name), "");
  }
  const found = (pattern: string) => osHost.glob(`${folder}/${pattern}`).map((path) => path.slice(folder.length + 1));
  expect(found("d/x/*.conf")).toEqual(["d/x/a.conf", "d/x/b.conf"]);
  expect(found("d/*/a.conf")).toEqual(["d/x/a.conf", "d/y/a.conf"]);
  expect(found("d/[xz]/?.conf")).toEqual(["d/x/a.conf", "d/x/b.conf"]);
  expect(found("d/x/.*.conf")).toEqual(["d/x/.c.conf"]);
  expect(found("none/*")).toEqual([]);
});

test("rewriting replaces the file, leaves nothing beside it, and keeps bytes", () => {
  const path = join(folder, "rewrite.conf");
  writeFileSync(path, Buffer.from("# caf\xe9\nport 7000\n", "latin1"));
  const config = new Config({ personality: PERSONALITIES.redis });
  expect(config.loadFile(toBinary(path))).toBeNull();
  expect(config.set([["port", "7001"]], { loading: false, clientIsLocal: true })).toBeNull();
  expect(config.rewrite()).toBeNull();
  const text = readFileSync(path).toString("latin1");
  expect(text).toStartWith("# caf\xe9\nport 7001\n");
  expect(text).toContain(`dir "${process.cwd()}"`);
  expect(readdirSync(folder).filter((name) => name.startsWith("rewrite"))).toEqual(["rewrite.conf"]);
  expect(statSync(path).mode & 0o777).toBe(0o644 & ~process.umask());
});

test("a file name that is not ASCII", () => {
  const path = join(folder, "sch\u00f6n.conf");
  writeFileSync(path, "port 7\n");
  const config = new Config({ personality: PERSONALITIES.redis });
  expect(config.loadFile(toBinary(path))).toBeNull();
  expect(config.values.port).toBe(7);
});

test("failures carry the system's words", () => {
  expect(osHost.readFile("/nowhere/x")).toEqual({ error: "No such file or directory", missing: true });
  expect(osHost.readFile(folder)).toEqual({ error: "Is a directory", missing: false });
  expect(osHost.chdir("/nowhere")).toBe("No such file or directory");
  expect(osHost.tryAppend("/nowhere/log")).toBe("No such file or directory");
  expect(osHost.replaceFile("/nowhere/a.conf", "")).toBe("No such file or directory");
  expect(errnoText(new Error("odd"))).toBe("odd");
  expect(errnoText("odd")).toBe("odd");
});

test("a failed replacement leaves the old file and no other", () => {
  const target = join(folder, "is-a-directory");
  mkdirSync(join(target, "full"), { recursive: true });
  expect(osHost.replaceFile(target, "x")).not.toBeNull();
  expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  expect(existsSync(join(target, "full"))).toBe(true);
});

test("the log file is created when it can be", () => {
  const path = join(folder, "new.log");
  expect(osHost.tryAppend(path)).toBeNull();
  expect(existsSync(path)).toBe(true);
  chmodSync(path, 0o600);
});

test("a file's bytes are the characters of its text, whatever they mean", () => {
  const path = join(folder, "bytes.conf");
  const files = [
    "",
    "port 1\n",
    "\xef\xbb\xbfport 1",
    "caf\xc3\xa9",
    "caf\xe9",
    "\xc3\xa9\x80",
    "a\0b",
    "\xff\xfe",
    "\x7f\x80",
  ];
  for (const text of files) {
    writeFileSync(path, Buffer.from(text, "latin1"));
    expect(osHost.readFile(path)).toEqual({ text });
  }
});
