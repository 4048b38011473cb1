// What the RDB output writes, the input reads, in chunks of every size.

import { expect, test } from "bun:test";
import { Prng } from "../../src/base/prng.ts";
import { RdbInput, STARVED, StringSlot } from "../../src/rdb/input.ts";
import { RdbOutput } from "../../src/rdb/output.ts";
import { testSeed } from "../base/seeded.ts";

/** Something that is written, and how it is read again and compared. */
interface Item {
  write(out: RdbOutput): void;
  check(input: RdbInput): void;
}

const slot = new StringSlot();
const LENGTHS = [0, 5, 63, 64, 16383, 16384, 4294967295, 4294967296, 2 ** 52];
const INTEGERS = ["", "0", "-0", "-128", "128", "-32769", "32768", "-2147483648", "2147483648", "00", "+1"];

function lengthItem(n: number): Item {
  return { write: (out) => out.length(n), check: (input) => expect(input.length()).toBe(n) };
}

function doubleItem(n: number): Item {
  return { write: (out) => out.double(n), check: (input) => expect(input.double()).toBe(n) };
}

function length64Item(low: number, high: number): Item {
  return {
    write: (out) => out.length64(low, high),
    check(input) {
      input.length64();
      expect([input.low, input.high]).toEqual([low, high]);
    },
  };
}

function stringItem(text: string): Item {
  return {
    write: (out) => out.text(text),
    check(input) {
      input.string(slot);
      expect(Buffer.from(slot.buf.subarray(slot.at, slot.at + slot.length)).toString("latin1")).toBe(text);
    },
  };
}

function randomItem(random: Prng): Item {
  switch (random.below(6)) {
    case 0:
      return lengthItem(LENGTHS[random.below(LENGTHS.length)]!);
    case 1:
      return doubleItem(random.float() * 1e9);
    case 2:
      return length64Item(random.uint32() | 0, random.below(2) === 0 ? random.uint32() | 0 : 0);
    case 3:
      return stringItem(INTEGERS[random.below(INTEGERS.length)]!);
    case 4:
      return stringItem("x1".repeat(random.below(12_000)));
    default: {
      const range = random.below(2) === 0 ? 4 : 256;
      return stringItem(String.fromCharCode(...Array.from({ length: random.below(400) }, () => random.below(range))));
    }
  }
}

test("numbers and strings come back, with the same checksum", () => {
  const seed = testSeed();
  const random = new Prng(seed);
  for (let round = 0; round < 60; round++) {
    const items = Array.from({ length: 80 }, () => randomItem(random));
    const parts: Uint8Array[] = [];
    const target = { write: (b: Uint8Array, start: number, end: number) => void parts.push(b.slice(start, end)) };
    const out = new RdbOutput(target, { version: 10, compress: round % 2 === 0, checksum: true });
    for (const item of items) item.write(out);
    out.flush();
    const bytes = Buffer.concat(parts);

    const input = new RdbInput(true);
    const chunk = 1 + random.below([3, 50, 5000][round % 3]!);
    let fed = 0;
    for (let i = 0; i < items.length; ) {
      try {
        items[i]!.check(input);
        input.commit();
        i++;
      } catch (error) {
        if (error !== STARVED) throw error;
        if (fed >= bytes.length) throw new Error(`seed ${seed}, round ${round}: item ${i} wants more than was written`);
        input.rewind();
        input.feed(bytes.subarray(fed, fed + chunk));
        fed += chunk;
      }
    }
    expect(input.position, `seed ${seed}`).toBe(bytes.length);
    expect(input.checksum()!.toHex()).toBe(out.checksum!.toHex());
  }
});
