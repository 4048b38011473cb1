// The manifest: what it says, what it must not say, and how it changes.

import { describe, expect, test } from "bun:test";
import { Manifest, ManifestError } from "../../src/persistence/aof/manifest.ts";

function failure(text: string): ManifestError {
  try {
    Manifest.parse(text);
  } catch (error) {
    if (error instanceof ManifestError) return error;
    throw error;
  }
  throw new Error("the manifest was accepted");
}

const BASE = "file appendonly.aof.2.base.rdb seq 2 type b\n";

describe("reading", () => {
  test("all kinds of files, in any order, with comments and unknown keywords", () => {
    const text = [
      "# a comment",
      "FILE appendonly.aof.1.incr.aof SEQ 1 TYPE h",
      "  file appendonly.aof.2.base.rdb seq 2 type b  ",
      "file appendonly.aof.4.incr.aof seq 4 type incr colour red",
      "file appendonly.aof.7.incr.aof seq 7 type i",
      "",
    ].join("\n");
    const manifest = Manifest.parse(text);
    expect(manifest.base).toEqual({ name: "appendonly.aof.2.base.rdb", sequence: 2 });
    expect(manifest.history.map((file) => file.sequence)).toEqual([1]);
    expect(manifest.files.map((file) => file.sequence)).toEqual([2, 4, 7]);
    expect(manifest.isEmpty).toBe(false);
  });

  test("comments alone are an empty log", () => {
    expect(Manifest.parse("# nothing yet\n").isEmpty).toBe(true);
  });

  const wrong: [string, string, number][] = [
    ["", "Found an empty AOF manifest", 0],
    [`${BASE}\n`, "Invalid AOF manifest file format", 2],
    [`${BASE}file x seq 1\n`, "Invalid AOF manifest file format", 2],
    [`${BASE}file x seq 1 type i more\n`, "Invalid AOF manifest file format", 2],
    [`${BASE}file "x seq 1 type i\n`, "Invalid AOF manifest file format", 2],
    [`${BASE}filx x seq 1 type i\n`, "Invalid AOF manifest file format", 2],
    [`${BASE}file x seq 0 type i\n`, "Invalid AOF manifest file format", 2],
    [`${BASE}file x seq one type i\n`, "Invalid AOF manifest file format", 2],
    [`${BASE}file x seq 1 type ""\n`, "Invalid AOF manifest file format", 2],
    [`${BASE}${BASE}`, "Found duplicate base file information", 2],
    ["file x seq 2 type i\nfile y seq 2 type i\n", "Found a non-monotonic sequence number", 2],
    ["file x seq 2 type i\nfile y seq 1 type i\n", "Found a non-monotonic sequence number", 2],
    ["file x seq 1 type z\n", "Unknown AOF file type", 1],
    ["file ../x seq 1 type i\n", "File can't be a path, just a filename", 1],
    ["file a\\\\b seq 1 type i\n", "File can't be a path, just a filename", 1],
    [`file ${"x".repeat(1100)} seq 1 type i\n`, "The AOF manifest file contains too long line", 0],
    [BASE.trimEnd(), "The AOF manifest file contains too long line", 0],
  ];
  for (const [text, message, lineNumber] of wrong) {
    test(`refused: ${JSON.stringify(text.slice(0, 70))}`, () => {
      const error = failure(text);
      expect(error.message).toBe(message);
      expect(error.lineNumber).toBe(lineNumber);
    });
  }

  test("the log lines name the line", () => {
    expect(failure(`${BASE}file x seq 1 type z\n`).logLines()).toEqual([
      "\n*** FATAL AOF MANIFEST FILE ERROR ***\n",
      "Reading the manifest file, at line 2\n",
      ">>> 'file x seq 1 type z'\n",
      "Unknown AOF file type\n",
    ]);
  });

  test("a line of the greatest length that there may be", () => {
    const name = "x".repeat(1023 - "file  seq 1 type i".length);
    expect(Manifest.parse(`file ${name} seq 1 type i\n`).incremental[0].name).toBe(name);
  });
});

describe("changing", () => {
  test("the life of a log", () => {
    const manifest = new Manifest();
    expect(manifest.isEmpty).toBe(true);
    expect(manifest.addBase("appendonly.aof", "rdb")).toBe("appendonly.aof.1.base.rdb");
    expect(manifest.addIncremental("appendonly.aof")).toBe("appendonly.aof.1.incr.aof");
    manifest.addIncremental("appendonly.aof");
    manifest.addIncremental("appendonly.aof");
    expect(manifest.addBase("appendonly.aof", "aof")).toBe("appendonly.aof.2.base.aof");
    manifest.retireIncremental(true);
    expect(manifest.format()).toBe(
      [
        "file appendonly.aof.2.base.aof seq 2 type b",
        "file appendonly.aof.1.incr.aof seq 1 type h",
        "file appendonly.aof.2.incr.aof seq 2 type h",
        "file appendonly.aof.1.base.rdb seq 1 type h",
        "file appendonly.aof.3.incr.aof seq 3 type i",
        "",
      ].join("\n"),
    );
    const again = Manifest.parse(manifest.format());
    expect(again.format()).toBe(manifest.format());
    expect(again.addIncremental("appendonly.aof")).toBe("appendonly.aof.4.incr.aof");
    expect(again.addBase("appendonly.aof", "rdb")).toBe("appendonly.aof.3.base.rdb");
    again.retireIncremental(false);
    again.forgetHistory();
    expect(again.format()).toBe("file appendonly.aof.3.base.rdb seq 3 type b\n");
  });

  test("a copy changes alone", () => {
    const manifest = new Manifest();
    manifest.addBase("a", "rdb");
    manifest.addIncremental("a");
    const before = manifest.format();
    const copy = manifest.copy();
    copy.addIncremental("a");
    copy.retireIncremental(true);
    copy.addBase("a", "rdb");
    expect(manifest.format()).toBe(before);
    expect(manifest.addIncremental("a")).toBe("a.2.incr.aof");
  });

  test("names that need quotes", () => {
    for (const stem of [" file seq \n\n.aof ", "it's", 'a"b', "caf\xe9", "\x01\xff"]) {
      const manifest = new Manifest();
      const name = manifest.addBase(stem, "rdb");
      expect(Manifest.parse(manifest.format()).base?.name ?? "refused").toBe(name);
    }
    const manifest = new Manifest();
    manifest.addBase(" file seq \n\n.aof ", "rdb");
    expect(manifest.format()).toBe('file " file seq \\n\\n.aof .1.base.rdb" seq 1 type b\n');
  });
});
