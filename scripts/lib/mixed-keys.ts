// A data set as it is found in practice, for measurements: small strings above all, some with a time to live, small collections of all kinds,
// and a few large ones. The same numbers give the same data set.

import { Prng } from "../../src/base/prng.ts";

const SEED = 20_26;
const BATCH_BYTES = 1024 * 1024;
/** Large collections, and elements of each. */
const LARGE = 8;
const LARGE_ELEMENTS = 50_000;
const LARGE_PER_COMMAND = 500;
/** Far enough in the future, in ms. */
const EXPIRY_MS = 4_102_444_800_000;

function encode(args: readonly (string | number)[]): string {
  let text = `*${args.length}\r\n`;
  for (const arg of args) {
    const word = String(arg);
    text += `$${word.length}\r\n${word}\r\n`;
  }
  return text;
}

/** The command that makes key number `n`. */
function smallKey(prng: Prng, n: number): (string | number)[] {
  const kind = prng.below(100);
  const word = (): string => prng.uint32().toString(36);
  const list = (count: number, make: (i: number) => (string | number)[]): (string | number)[] =>
    Array.from({ length: count }, (_, i) => make(i)).flat();
  if (kind < 50) return ["SET", `key:${n}`, word().repeat(1 + prng.below(12))];
  if (kind < 60) return ["SET", `number:${n}`, prng.uint32()];
  if (kind < 70) return ["SET", `session:${n}`, word().repeat(10), "PXAT", EXPIRY_MS + prng.uint32()];
  if (kind < 80) return ["HSET", `hash:${n}`, ...list(2 + prng.below(8), (i) => [`field${i}`, word()])];
  if (kind < 85) return ["RPUSH", `list:${n}`, ...list(1 + prng.below(16), () => [word()])];
  if (kind < 90) return ["SADD", `numbers:${n}`, ...list(1 + prng.below(16), () => [prng.below(100_000)])];
  if (kind < 95) return ["SADD", `set:${n}`, ...list(1 + prng.below(10), () => [word()])];
  return ["ZADD", `zset:${n}`, ...list(1 + prng.below(10), () => [prng.below(1000), word()])];
}

/** Elements of the large collection number `n`, one command's worth beginning at element `from`. */
function largePart(prng: Prng, n: number, from: number): (string | number)[] {
  const word = (): string => prng.uint32().toString(36);
  const args: (string | number)[] = [];
  for (let i = from; i < from + LARGE_PER_COMMAND; i++) {
    if (n % 4 === 0) args.push(`field:${i}`, word());
    else if (n % 4 === 1) args.push(prng.uint32() / 1000, `member:${i}`);
    else args.push(`member:${i}:${word()}`);
  }
  return [["HSET", "ZADD", "SADD", "RPUSH"][n % 4]!, `large:${n}`, ...args];
}

/** The commands that make the data set, as bytes, in pieces; each piece with the number of its commands. */
export function* mixedKeys(keys: number): Generator<{ readonly bytes: Buffer; readonly commands: number }> {
  const prng = new Prng(SEED);
  let text = "";
  let commands = 0;
  const take = (): { bytes: Buffer; commands: number } => {
    const piece = { bytes: Buffer.from(text, "latin1"), commands };
    text = "";
    commands = 0;
    return piece;
  };
  for (let n = 0; n < keys; n++) {
    text += encode(smallKey(prng, n));
    commands++;
    if (text.length >= BATCH_BYTES) yield take();
  }
  for (let n = 0; n < LARGE; n++) {
    for (let from = 0; from < LARGE_ELEMENTS; from += LARGE_PER_COMMAND) {
      text += encode(largePart(prng, n, from));
      commands++;
      if (text.length >= BATCH_BYTES) yield take();
    }
  }
  yield take();
}

/** Has the server on a port run the commands that make the data set. Throws when one is refused. */
export async function fillMixed(port: number, keys: number): Promise<void> {
  let wake = (): void => {};
  let answers = 0;
  let failure: string | null = null;
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(_socket, chunk) {
        // All answers are lines.
        for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) answers++;
        if (chunk[0] === 45) failure = chunk.toString("latin1");
        wake();
      },
      drain: () => wake(),
      close: () => {
        failure ??= "the connection was closed";
        wake();
      },
    },
  });
  const event = (): Promise<void> => new Promise((resolve) => (wake = resolve));
  let sent = 0;
  for (const { bytes, commands } of mixedKeys(keys)) {
    sent += commands;
    for (let at = 0; at < bytes.length && failure === null; ) {
      const count = socket.write(bytes, at, bytes.length - at);
      at += Math.max(0, count);
      if (at < bytes.length) await event();
    }
    while (answers < sent - 20_000 && failure === null) await event();
    if (failure !== null) break;
  }
  while (answers < sent && failure === null) await event();
  if (failure !== null) throw new Error(`filling failed: ${failure}`);
  socket.end();
}
