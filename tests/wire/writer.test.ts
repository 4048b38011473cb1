// Bulk strings at the lengths and integers at which the writer takes another way.

import { expect, test } from "bun:test";
import { ReplyWriter } from "../../src/resp/writer.ts";

function written(writer: ReplyWriter): string {
  const text = Buffer.from(writer.buf.subarray(0, writer.pos)).toString("latin1");
  writer.clear();
  return text;
}

test("bulk strings of every short length, from a small buffer on", () => {
  const source = Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 7) & 255));
  for (const capacity of [1, 64, 4096]) {
    const writer = new ReplyWriter(capacity);
    for (let length = 0; length <= 200; length++) {
      writer.bulk(source, 5, length);
      const bytes = source.subarray(5, 5 + length).toString("latin1");
      expect(written(writer)).toBe(`$${length}\r\n${bytes}\r\n`);
    }
  }
});

test("many bulk strings in one buffer that grows", () => {
  const writer = new ReplyWriter(16);
  const source = Buffer.from("x".repeat(100));
  let expected = "";
  for (let i = 0; i < 2000; i++) {
    const length = i % 100;
    writer.bulk(source, 0, length);
    expected += `$${length}\r\n${"x".repeat(length)}\r\n`;
  }
  expect(written(writer)).toBe(expected);
});

test("int64 bulk strings around the edges of 32 bits and of digits", () => {
  const writer = new ReplyWriter(1);
  const edges = [
    0n,
    1n,
    9n,
    10n,
    99n,
    100n,
    2n ** 31n - 1n,
    2n ** 31n,
    2n ** 32n - 1n,
    2n ** 32n,
    2n ** 53n,
    2n ** 63n - 1n,
  ];
  for (const n of [...edges, ...edges.map((edge) => -edge - 1n), -9n, -10n]) {
    writer.bulkInt64(Number(BigInt.asIntN(32, n)), Number(BigInt.asIntN(32, n >> 32n)));
    expect(written(writer)).toBe(`$${String(n).length}\r\n${n}\r\n`);
  }
});
