// Values of every type and encoding, as the commands that make them, drawn from a seeded generator.

import type { Prng } from "../../src/base/prng.ts";

export type Command = readonly string[];

/** A key's name, and the commands that give it its value. */
export interface SampleValue {
  readonly key: string;
  readonly commands: readonly Command[];
  /** The order of its elements is that of a hash table, whose seed is each server's own. */
  readonly unordered: boolean;
}

const WORDS = [
  "",
  "a",
  "0",
  "-1",
  "127",
  "128",
  "-129",
  "4095",
  "-4097",
  "32768",
  "-8388609",
  "2147483648",
  "-9223372036854775808",
  "0.5",
  "00",
  "value",
  "x".repeat(63),
  "x".repeat(64),
  "ab".repeat(70),
  "\x00\xff\r\n",
];

/** An element, now and then a long one (but not so long that it gets a list node of its own, which versions do not agree about). */
export function sampleWord(random: Prng, isLong: boolean): string {
  if (isLong && random.below(20) === 0) return "lorem ipsum ".repeat(1 + random.below(600));
  if (random.below(3) === 0) return String(random.below(1 << random.below(30)) - random.below(1000));
  if (random.below(4) === 0)
    return String.fromCharCode(...Array.from({ length: random.below(60) }, () => random.below(256)));
  return WORDS[random.below(WORDS.length)]!;
}

function distinct(random: Prng, count: number, isLong: boolean): string[] {
  const found = new Set<string>();
  for (let i = 0; found.size < count; i++) found.add(sampleWord(random, isLong) + (i > count * 2 ? String(i) : ""));
  return [...found];
}

/** A value that fits the small encoding, or not. */
export function sampleValue(random: Prng, type: number, key: string): SampleValue {
  const isLarge = random.below(2) === 0;
  const count = isLarge ? 150 + random.below(300) : 1 + random.below(12);
  switch (type) {
    case 0:
      return { key, unordered: false, commands: [["SET", key, sampleWord(random, true)]] };
    case 1: {
      const words = Array.from({ length: count * (isLarge ? 6 : 1) }, () => sampleWord(random, isLarge));
      return { key, unordered: false, commands: [["RPUSH", key, ...words]] };
    }
    case 2: {
      const isIntegers = random.below(2) === 0;
      const members = isIntegers
        ? Array.from({ length: count }, () => String(random.below(70_000) - 30_000))
        : distinct(random, count, false);
      return { key, unordered: !isIntegers || count > 500, commands: [["SADD", key, ...members]] };
    }
    case 3: {
      const pairs = distinct(random, count, false).flatMap((member) => [sampleScore(random), member]);
      return { key, unordered: false, commands: [["ZADD", key, ...pairs]] };
    }
    case 4: {
      const pairs = distinct(random, count, false).flatMap((field) => [field, sampleWord(random, isLarge)]);
      const isTable = count > 128 || pairs.some((text) => text.length > 64);
      return { key, unordered: isTable, commands: [["HSET", key, ...pairs]] };
    }
    default:
      return { key, unordered: false, commands: sampleStream(random, key, count) };
  }
}

/** Scores that every version prints alike: those of 7.0 print all 17 digits of others. */
function sampleScore(random: Prng): string {
  const special = ["0", "1", "-1.5", "inf", "-inf", "1099511627776", "1125899906842624.5", "0.0625"];
  return random.below(2) === 0 ? special[random.below(special.length)]! : String(random.below(100_000) / 8);
}

function sampleStream(random: Prng, key: string, count: number): Command[] {
  const commands: Command[] = [];
  let ms = 1;
  for (let i = 0; i < count; i++) {
    ms += random.below(3);
    const fields =
      random.below(3) === 0 ? ["f", sampleWord(random, false), "g", "1"] : ["item", "1", "value", String(i)];
    commands.push(["XADD", key, `${ms}-${i}`, ...fields]);
    if (random.below(6) === 0) commands.push(["XDEL", key, `${ms}-${i}`]);
  }
  if (random.below(4) === 0) commands.push(["XTRIM", key, "MAXLEN", String(count >> 1)]);
  if (random.below(2) === 0) return commands;
  commands.push(["XGROUP", "CREATE", key, "first", "0"], ["XGROUP", "CREATE", key, "second", "$"]);
  for (const consumer of ["alice", "bob"])
    commands.push([
      "XREADGROUP",
      "GROUP",
      "first",
      consumer,
      "COUNT",
      String(1 + random.below(count)),
      "STREAMS",
      key,
      ">",
    ]);
  commands.push(["XGROUP", "CREATECONSUMER", key, "second", "carol"]);
  return commands;
}

/** Number of types that sampleValue knows. */
export const SAMPLE_TYPES = 6;
