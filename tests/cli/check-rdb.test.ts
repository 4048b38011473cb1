// check-rdb, beside the redis-check-rdb of redis-server where there is one: the same words and the same status for the same files.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Prng } from "../../src/base/prng.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import { runCheckAof } from "../../src/cli/tools/check-aof.ts";
import { runCheckRdb } from "../../src/cli/tools/check-rdb.ts";
import { PERSONALITIES } from "../../src/config/personality.ts";
import { RdbType } from "../../src/rdb/format.ts";
import { testSeed } from "../base/seeded.ts";
import { keyOf, latin, length, rdbFile, text, ziplist, zipmap } from "../rdb/old-formats.ts";
import { describeTool } from "../support/oracle.ts";

const folder = mkdtempSync(join(tmpdir(), "check-rdb-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, "dump.rdb");

interface Outcome {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

type Tool = typeof runCheckRdb;

function run(tool: Tool, args: readonly string[], personality: "redis" | "valkey" = "redis"): Outcome {
  const outcome = { out: "", err: "" };
  const terminal: Terminal = {
    out: (part) => void (outcome.out += part),
    err: (part) => void (outcome.err += part),
    exit: () => {},
    colors: false,
  };
  const program = `${personality}-check-rdb`;
  const status = tool({ program, args, personality: PERSONALITIES[personality], terminal });
  return { status, ...outcome };
}

/** What the outcome says, without the names of source lines and the line of the log that only redis-check-rdb writes. */
function comparable({ status, out, err }: Outcome): Outcome {
  const lines = out.replace(/function at \S+/g, "function").split("\n");
  return { status, err, out: lines.filter((line) => !line.includes("Terminating server")).join("\n") };
}

function runTheirs(): Outcome {
  const { exitCode, stdout, stderr } = Bun.spawnSync(["redis-check-rdb", path]);
  return comparable({ status: exitCode, out: stdout.toString("latin1"), err: stderr.toString("latin1") });
}

const ms = (n: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(n));
  return Buffer.concat([Buffer.from([252]), bytes]);
};

/** What modules wrote: data beside the keys, and a value. */
const MODULE_AUX = Buffer.from([
  247,
  0x81,
  ...latin("\x12\x34\x56\x78\x9a\xbc\xde\xf0"),
  2,
  1,
  5,
  ...text("aux"),
  4,
  ...Buffer.alloc(8),
  0,
]);
const MODULE_VALUE = keyOf(7, "module", latin("\x01\x02\x05\x05\x02ab\x03\0\0\0\0\0"));

const PARTS: readonly Uint8Array[] = [
  Buffer.from([250]),
  text("redis-ver"),
  text("7.0.0"),
  Buffer.from([254, 0, 251, 7, 2]),
  keyOf(RdbType.String, "string", text("hello")),
  ms(1),
  keyOf(RdbType.Set, "set", Buffer.concat([length(2), text("a"), text("b")])),
  ms(1e14),
  Buffer.from([248, 9]),
  keyOf(RdbType.ZsetZiplist, "zset", text(ziplist(["a", 1, "b", 2]))),
  keyOf(RdbType.ListQuicklist, "list", Buffer.concat([length(1), text(ziplist(["x", 7]))])),
  Buffer.from([254, 3, 249, 1]),
  keyOf(RdbType.HashZipmap, "hash", text(zipmap([["f", "v"]]))),
  keyOf(RdbType.SetIntset, "intset", text(latin("\x02\0\0\0\x02\0\0\0\x01\0\x02\0"))),
];

/** A good file, with and without what modules wrote. */
const GOOD = rdbFile(10, [MODULE_AUX, ...PARTS, MODULE_VALUE]);
const PLAIN = rdbFile(10, PARTS);

const key = (type: number, value: Uint8Array): Uint8Array => rdbFile(10, [keyOf(type, "k\0ey", value)]);

/** Files that are no good, each for its own reason. */
const BAD: readonly (readonly [name: string, bytes: Uint8Array])[] = [
  ["empty", latin("")],
  ["not a snapshot", latin("hello, world\n")],
  ["too new", latin("REDIS9999\xff")],
  ["no version", latin("REDISabcd\xff")],
  ["an unknown type", rdbFile(10, [Buffer.from([8, 1, 65])])],
  ["a type that is far away", rdbFile(10, [Buffer.from([100, 1, 65])])],
  ["a collection without elements", key(RdbType.Set, length(0))],
  ["an element twice", key(RdbType.Set, Buffer.concat([length(2), text("a"), text("a")]))],
  ["a field twice", key(RdbType.HashZiplist, text(ziplist(["a", 1, "a", 2])))],
  ["a broken ziplist", key(RdbType.ListZiplist, text(ziplist(["a", 1]).subarray(0, -1)))],
  ["a broken zipmap", key(RdbType.HashZipmap, text("\x02\x01a\x01\0b\xff"))],
  ["a broken intset", key(RdbType.SetIntset, text("\x02\0\0\0\x02\0\0\0\x02\0\x01\0"))],
  ["an unknown form of string", key(RdbType.String, Buffer.from([0xc4]))],
  ["functions of candidates of 7.0", rdbFile(10, [Buffer.from([246, 1, 65])])],
  ["module data without a mark", rdbFile(10, [Buffer.from([247, 1, 1, 1])])],
  ["a wrong checksum", Buffer.concat([GOOD.subarray(0, -1), Buffer.from([GOOD.at(-1)! ^ 1])])],
];

test("a good file", () => {
  writeFileSync(path, GOOD);
  const { status, out, err } = run(runCheckRdb, [path]);
  expect({ status, err }).toEqual({ status: 0, err: "" });
  expect(out).toContain("] MODULE AUX for: EjRWeJq83");
  expect(out).toEndWith(
    "Checksum OK\n[offset 223] \\o/ RDB looks OK! \\o/\n[info] 7 keys read\n[info] 2 expires\n[info] 1 already expired\n",
  );
});

for (const [name, bytes] of BAD)
  test(`a bad file: ${name}`, () => {
    writeFileSync(path, bytes);
    const { status, out, err } = run(runCheckRdb, [path]);
    expect({ status, err }).toEqual({ status: 1, err: "" });
    expect(out).toContain("--- RDB ERROR DETECTED ---\n[offset ");
    expect(out).not.toContain("looks OK");
  });

test("a folder is a file that ends at once", () => {
  const { status, out, err } = run(runCheckRdb, [folder]);
  expect({ status, err }).toEqual({ status: 1, err: "" });
  expect(out).toContain("--- RDB ERROR DETECTED ---\n[offset 0] Unexpected EOF reading RDB file\n");
});

test("a file that is not there, usage, version", () => {
  const missing = join(folder, "missing.rdb");
  expect(run(runCheckRdb, [missing])).toEqual({ status: 1, out: `[offset 0] Checking RDB file ${missing}\n`, err: "" });
  for (const args of [[], ["a", "b"]])
    expect(run(runCheckRdb, args)).toEqual({ status: 1, out: "", err: "Usage: redis-check-rdb <rdb-file-name>\n" });
  for (const question of ["-h", "--help"])
    expect(run(runCheckRdb, [question])).toEqual({
      status: 0,
      out: "Usage: redis-check-rdb <rdb-file-name>\n",
      err: "",
    });
  expect(run(runCheckRdb, ["-v"], "valkey").out).toMatch(/^valkey-check-rdb \d+\.\d+\.\d+ redis-ts=/);
});

test("the snapshot at the beginning of an append-only file", () => {
  writeFileSync(path, Buffer.concat([GOOD, latin("*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n")]));
  const good = run(runCheckAof, [path]);
  expect(good.out).toContain("RDB looks OK! \\o/");
  expect(good.out).toContain("RDB preamble is OK, proceeding with AOF tail...\n");
  expect(good).toMatchObject({ status: 0, err: "" });
  writeFileSync(path, GOOD.subarray(0, -20));
  const bad = run(runCheckAof, [path]);
  expect(bad.out).toEndWith("RDB preamble of AOF file is not sane, aborting.\n");
  expect(bad.status).toBe(1);
});

describeTool("redis-check-rdb", () => {
  describe("says the same of", () => {
    for (const [name, bytes] of [["a good file", GOOD] as const, ["one without modules", PLAIN] as const, ...BAD]) {
      // 7.0 still reads those.
      if (name === "functions of candidates of 7.0") continue;
      test(name, () => {
        writeFileSync(path, bytes);
        expect(comparable(run(runCheckRdb, [path]))).toEqual(runTheirs());
      });
    }

    test("a good file that ends too early, at places all over it", () => {
      for (let end = 0; end < PLAIN.length; end += 7) {
        writeFileSync(path, PLAIN.subarray(0, end));
        expect(comparable(run(runCheckRdb, [path])), `at ${end}`).toEqual(runTheirs());
      }
    }, 60_000);

    test("a good file with a byte that is another: whether it is good", () => {
      const seed = testSeed();
      const random = new Prng(seed);
      for (let round = 0; round < 15; round++) {
        const bytes = Buffer.from(PLAIN);
        const at = random.below(bytes.length);
        bytes[at] ^= 1 << random.below(8);
        writeFileSync(path, bytes);
        expect(run(runCheckRdb, [path]).status, `seed ${seed}, byte ${at}`).toBe(runTheirs().status);
      }
    }, 60_000);
  });
});
