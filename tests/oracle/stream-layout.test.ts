// Streams are kept in the blocks in which redis-server keeps them: its DUMP of a stream holds them as they are. A stream can be built of them again, and
// blocks that are damaged are known for it.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { blobAt, blobBuffer } from "../../src/arena/blob.ts";
import { Prng } from "../../src/base/prng.ts";
import { IndexCursor, indexFirst, indexNext } from "../../src/struct/id-index/id-index.ts";
import { listpackBytes } from "../../src/struct/listpack/listpack.ts";
import { streamAddBlock, streamHeadCreate, streamIndex, streamOf } from "../../src/types/stream/stream.ts";
import {
  BlockWalk,
  blockIsValid,
  walkBackward,
  walkFirst,
  walkForward,
  walkLast,
  walkOpen,
} from "../../src/types/stream/stream-block.ts";
import { idCreate, idRead } from "../../src/types/stream/stream-id.ts";
import { testSeed } from "../base/seeded.ts";
import { testServer } from "../support/engine.ts";
import { describeOracle, startOracle } from "../support/oracle.ts";
import type { RunningServer } from "../support/process.ts";

/** Reads lengths and strings of a dump without compression, one after the other. */
class DumpReader {
  readonly dump: Buffer;
  at = 1;

  constructor(dump: Buffer) {
    this.dump = dump;
  }

  length(): number {
    const first = this.dump[this.at++]!;
    if (first < 0x40) return first;
    if (first < 0x80) return (first & 63) * 256 + this.dump[this.at++]!;
    if (first !== 0x80) throw new Error(`length byte ${first}`);
    this.at += 4;
    return this.dump.readUInt32BE(this.at - 4);
  }

  string(): Buffer {
    const length = this.length();
    this.at += length;
    return this.dump.subarray(this.at - length, this.at);
  }
}

describeOracle("blocks of streams", () => {
  let theirs: RunningServer;
  beforeAll(async () => {
    theirs = await startOracle(["--rdbcompression", "no", "--enable-debug-command", "yes"]);
  });
  afterAll(async () => {
    await theirs?.stop();
  });

  test("are the same bytes after the same commands", async () => {
    const seed = testSeed();
    const random = new Prng(seed);
    const client = await theirs.connect();
    const server = testServer();
    expect(server.engine.config.loadText("enable-debug-command yes\n")).toBeNull();
    const ours = server.connect();
    const a = server.engine.keyspace.arena;
    const text = (): string =>
      ["v", "", "7", "-200", "70000", "9223372036854775807", "x".repeat(100)][random.below(7)]!;
    const run = async (...args: string[]): Promise<void> => {
      await client.call(...args);
      ours.raw(...args);
    };
    let ms = 1;
    for (let i = 0; i < 900; i++) {
      const action = random.below(30);
      ms += random.below(3);
      if (i % 100 === 0)
        await run("CONFIG", "SET", "stream-node-max-entries", ["0", "5", "100", "300"][random.below(4)]!);
      if (action < 25) {
        const same = random.below(4) > 0;
        const pairs = same ? ["f", text(), "g", text()] : [text(), text()];
        await run("XADD", "s", `${ms}-*`, ...pairs);
      } else if (action < 29) {
        await run("XDEL", "s", `${random.below(ms)}-${random.below(3)}`);
      } else {
        await run("XTRIM", "s", "MAXLEN", ...(random.below(2) === 0 ? ["~"] : []), "600");
      }
    }
    const e = server.engine.keyspace.databases[0]!.find(Buffer.from("s"), 0, 1);
    const s = streamOf(a, e);
    const reader = new DumpReader(Buffer.from(String(await client.call("DUMP", "s")), "latin1"));
    const blocks = reader.length();
    const cursor = new IndexCursor();
    const id = idCreate();
    const copy = streamHeadCreate(a);
    let more = indexFirst(a, streamIndex(a, s), cursor);
    for (let i = 0; i < blocks; i++, more = indexNext(a, streamIndex(a, s), cursor)) {
      expect(more, `seed ${seed}, block ${i} of ${blocks}`).toBe(true);
      const key = reader.string();
      idRead(id, cursor.words, cursor.at);
      expect([...id].map((word) => word >>> 0)).toEqual([0, 4, 8, 12].map((at) => key.readUInt32BE(at)));
      const block = cursor.words[cursor.at + 4]!;
      const buf = blobBuffer(a, block);
      const want = reader.string();
      const have = Buffer.from(buf.subarray(blobAt(a, block), blobAt(a, block) + listpackBytes(a, block)));
      expect(have.toString("hex"), `seed ${seed}, block ${i}`).toBe(want.toString("hex"));
      expect(blockIsValid(want, 0, want.length)).toBe(true);
      expect(streamAddBlock(a, copy, id, want, 0, want.length)).toBe(true);
    }
    expect(more).toBe(false);
    expect(ours.line("DEBUG DIGEST-VALUE s")).toContain(String(await client.call("DEBUG", "DIGEST-VALUE", "s")));

    // Whatever a damaged block is said to be, it can be walked when it is said to be valid.
    indexFirst(a, streamIndex(a, copy), cursor);
    const block = cursor.words[cursor.at + 4]!;
    const from = blobAt(a, block);
    const length = listpackBytes(a, block);
    const original = blobBuffer(a, block).slice(from, from + length);
    let refused = 0;
    for (let i = 0; i < 3000; i++) {
      const damaged = original.slice();
      for (let k = random.below(3); k >= 0; k--) damaged[6 + random.below(length - 6)] = random.below(256);
      if (!blockIsValid(damaged, 0, length)) {
        refused++;
        continue;
      }
      blobBuffer(a, block).set(damaged, from);
      const walk = new BlockWalk();
      walkOpen(a, block, walk);
      let entries = 0;
      for (let has = walkFirst(walk); has; has = walkForward(walk)) entries++;
      let back = 0;
      for (let has = walkLast(walk); has; has = walkBackward(walk)) back++;
      expect(back).toBe(entries);
    }
    expect(refused).toBeGreaterThan(300);
  });
});
