// The leaf modules against a live redis-server: what it accepts, prints, matches, compresses and signs.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { Crc64 } from "../../src/base/crc64.ts";
import { parseDouble } from "../../src/base/float.ts";
import { globMatch } from "../../src/base/glob.ts";
import { isCanonicalInt64 } from "../../src/base/int64.ts";
import {
  addLongDouble,
  addShortDecimals,
  formatLongDouble,
  isFiniteLongDouble,
  parseLongDouble,
} from "../../src/base/long-double.ts";
import { lzfCompress, lzfDecompress } from "../../src/base/lzf.ts";
import { Prng } from "../../src/base/prng.ts";
import { sha1Hex } from "../../src/base/sha1.ts";
import type { RespClient } from "../support/client.ts";
import { describeOracle, startOracle } from "../support/oracle.ts";
import type { RunningServer } from "../support/process.ts";
import { type Reply, ReplyError } from "../support/reply.ts";
import { bytes, randomText, testSeed } from "./seeded.ts";

const NOT_A_FLOAT = "ERR value is not a valid float";
const NOT_FINITE = "ERR increment would produce NaN or Infinity";

/** A number as a client might send it, mostly valid. */
function numberText(random: Prng): string {
  const sign = ["", "", "-", "+"][random.below(4)]!;
  switch (random.below(12)) {
    case 0:
      return (
        sign +
        ["inf", "Infinity", "nan", "0x1.8p4", "0x", "1e", ".", "", "1 ", " 1", "1e4932", "1e-4951"][random.below(12)]
      );
    case 1:
      return randomText(random, "0123456789.eE+-x", 6);
    case 2:
      return `${sign}${randomText(random, "0123456789", 30)}.${randomText(random, "0123456789", 30)}`;
    case 3:
      return `${sign}${random.below(1000000)}.${random.below(1000)}e${random.below(60) - 30}`;
    case 4:
      return `${sign}${random.below(2 ** 53)}`;
    case 5:
      return `${sign}0x${random.below(2 ** 50).toString(16)}.${random.below(2 ** 20).toString(16)}p${random.below(80) - 40}`;
    default:
      return `${sign}${random.below(10 ** (1 + random.below(6)))}.${randomText(random, "0123456789", 8)}`;
  }
}

function withSeed(
  body: (random: Prng, client: RespClient) => Promise<void>,
  client: () => RespClient,
): () => Promise<void> {
  return async () => {
    const seed = testSeed();
    try {
      await body(new Prng(seed), client());
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  };
}

function textOf(reply: Reply): string {
  return reply instanceof ReplyError ? reply.message : String(reply);
}

/** What INCRBYFLOAT answers when the key holds `left`. */
function increment(left: string, right: string): string {
  const a = bytes(left);
  const b = bytes(right);
  const value = parseLongDouble(a, 0, a.length);
  const step = parseLongDouble(b, 0, b.length);
  if (value === null || step === null) return NOT_A_FLOAT;
  const sum = addLongDouble(value, step);
  if (!isFiniteLongDouble(sum)) return NOT_FINITE;
  const text = formatLongDouble(sum);
  const dst = new Uint8Array(32);
  const end = addShortDecimals(dst, 0, a, 0, a.length, b, 0, b.length);
  if (end >= 0) expect(Buffer.from(dst.subarray(0, end)).toString("latin1"), `${left} + ${right}`).toBe(text);
  return text;
}

/** Checks the checksum of a DUMP payload: value, two bytes of version, CRC-64. */
function checkPayload(payload: Uint8Array): void {
  const crc = new Crc64();
  crc.update(payload, 0, payload.length - 8);
  expect(crc.matches(payload, payload.length - 8)).toBe(true);
}

function seal(body: number[], version: Uint8Array): Uint8Array {
  const payload = new Uint8Array(body.length + 10);
  payload.set(body);
  payload.set(version, body.length);
  const crc = new Crc64();
  crc.update(payload, 0, body.length + 2);
  crc.write(payload, body.length + 2);
  return payload;
}

/** A length of an RDB string below 2^14, as it is stored. */
function storedLength(length: number): number[] {
  return length < 64 ? [length] : [0x40 | (length >> 8), length & 255];
}

function readLength(payload: Uint8Array, at: number): { length: number; next: number } {
  const first = payload[at]!;
  return first < 64
    ? { length: first, next: at + 1 }
    : { length: ((first & 63) << 8) | payload[at + 1]!, next: at + 2 };
}

describeOracle("leaf modules", () => {
  let server: RunningServer;
  let connection: RespClient;
  const client = () => connection;

  beforeAll(async () => {
    server = await startOracle();
    connection = await server.connect();
  });

  afterAll(async () => {
    connection?.close();
    await server?.stop();
  });

  test(
    "INCRBYFLOAT of any two texts",
    withSeed(async (random, redis) => {
      const pairs = Array.from({ length: 4000 }, () => [numberText(random), numberText(random)] as const);
      const replies = await redis.pipeline(
        pairs.flatMap(([left, right]) => [
          ["SET", "n", left],
          ["INCRBYFLOAT", "n", right],
        ]),
      );
      pairs.forEach(([left, right], i) => {
        expect(textOf(replies[2 * i + 1]!), `${left} + ${right}`).toBe(increment(left, right));
      });
    }, client),
  );

  test(
    "long runs of INCRBYFLOAT and HINCRBYFLOAT on one value",
    withSeed(async (random, redis) => {
      for (let run = 0; run < 20; run++) {
        const steps = Array.from({ length: 150 }, () => {
          const places = random.below(10);
          return ((random.below(2_000_000) - 1_000_000) / 10 ** random.below(7)).toFixed(places);
        });
        await redis.must("DEL", "n", "h");
        const strings = await redis.pipeline(steps.map((step) => ["INCRBYFLOAT", "n", step]));
        const fields = await redis.pipeline(steps.map((step) => ["HINCRBYFLOAT", "h", "f", step]));
        let value = "0";
        steps.forEach((step, i) => {
          const sum = increment(value, step);
          expect(textOf(strings[i]!), `${value} + ${step}`).toBe(sum);
          expect(textOf(fields[i]!), `${value} + ${step}`).toBe(sum);
          value = sum;
        });
      }
    }, client),
  );

  test(
    "scores that ZADD accepts, and their value",
    withSeed(async (random, redis) => {
      const texts = Array.from({ length: 4000 }, () => numberText(random));
      const replies = await redis.pipeline(
        texts.flatMap((text) => [
          ["DEL", "z"],
          ["ZADD", "z", text, "m"],
          ["ZSCORE", "z", "m"],
        ]),
      );
      texts.forEach((text, i) => {
        const value = parseDouble(bytes(text), 0, text.length);
        const refused = replies[3 * i + 1] instanceof ReplyError;
        expect(Number.isNaN(value), JSON.stringify(text)).toBe(refused);
        // A listpack keeps an integral score as an integer, which loses the sign of -0: adding 0 does the same.
        if (!refused) expect(value + 0, text).toBe(Number(String(replies[3 * i + 2]).replace("inf", "Infinity")));
      });
    }, client),
  );

  test(
    "texts that are stored as integers",
    withSeed(async (random, redis) => {
      const texts = Array.from(
        { length: 3000 },
        () => randomText(random, "-+0 1", 2) + randomText(random, "0123456789", random.below(2) ? 3 : 19),
      );
      texts.push("9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "-0");
      const replies = await redis.pipeline(
        texts.flatMap((text) => [
          ["SET", "i", text],
          ["OBJECT", "ENCODING", "i"],
        ]),
      );
      texts.forEach((text, i) => {
        expect(isCanonicalInt64(bytes(text), 0, text.length), JSON.stringify(text)).toBe(replies[2 * i + 1] === "int");
      });
    }, client),
  );

  test(
    "KEYS with any pattern",
    withSeed(async (random, redis) => {
      const keys = Array.from(new Set(Array.from({ length: 60 }, () => randomText(random, "abcz]^-\\[*\xff\x80", 5))));
      await redis.must("FLUSHALL");
      await redis.pipeline(keys.map((key) => ["SET", key, ""]));
      const patterns = Array.from({ length: 2000 }, () => randomText(random, "**?[[]]^--\\abcz\xff\x80", 9));
      const replies = await redis.pipeline(patterns.map((pattern) => ["KEYS", pattern]));
      patterns.forEach((pattern, i) => {
        if (pattern === "*") return; // Answered without matching, so it lists the empty key too.
        const p = bytes(pattern);
        const found = keys.filter((key) => globMatch(p, 0, p.length, bytes(key), 0, key.length, false));
        expect((replies[i] as string[]).slice().sort(), JSON.stringify(pattern)).toEqual(found.sort());
      });
    }, client),
  );

  test(
    "DUMP: its checksum, and compressed strings in both directions",
    withSeed(async (random, redis) => {
      for (let i = 0; i < 60; i++) {
        const word = randomText(random, "abcdefgh", 9);
        const text = (word + randomText(random, "xyz", 3)).repeat(1 + random.below(200)).slice(0, 10000);
        await redis.must("SET", "s", text);
        const payload = bytes(String(await redis.must("DUMP", "s")));
        checkPayload(payload);
        const version = payload.slice(payload.length - 10, payload.length - 8);
        // 0xc3: a string compressed by LZF, then both lengths.
        if (payload[1] === 0xc3) {
          const stored = readLength(payload, 2);
          const plain = readLength(payload, stored.next);
          const dst = new Uint8Array(plain.length);
          expect(lzfDecompress(payload, plain.next, stored.length, dst, 0, plain.length)).toBe(text.length);
          expect(Buffer.from(dst).toString("latin1")).toBe(text);
        }
        const dst = new Uint8Array(text.length + 4);
        const length = lzfCompress(bytes(text), 0, text.length, dst, 0, text.length - 1);
        if (length === 0) continue;
        const body = [0, 0xc3, ...storedLength(length), ...storedLength(text.length), ...dst.subarray(0, length)];
        await redis.must("RESTORE", "r", 0, seal(body, version), "REPLACE");
        expect(await redis.must("GET", "r")).toBe(text);
      }
    }, client),
  );

  test("SCRIPT LOAD answers the SHA-1", async () => {
    for (const script of ["return 1", "", "return redis.call('get', KEYS[1])"]) {
      expect(await connection.must("SCRIPT", "LOAD", script)).toBe(sha1Hex(bytes(script), 0, script.length));
    }
  });
});
