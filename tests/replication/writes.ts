// Random writes for servers that replicate each other: a small set of commands that every server since Redis 7.0 knows, and commands of all families.

import { Prng } from "../../src/base/prng.ts";
import { DATA_FAMILIES } from "../oracle/data-families.ts";
import { Draw } from "../oracle/draw.ts";
import type { RespClient } from "../support/client.ts";

/** Random writes of all types, the same in every server that knows Redis 7.0's commands. */
export class Writes {
  readonly #prng: Prng;
  count = 0;

  constructor(seed: number) {
    this.#prng = new Prng(seed);
  }

  #below(n: number): number {
    return this.#prng.below(n);
  }

  #text(): string {
    return "x".repeat(this.#below(10) === 0 ? this.#below(300) : this.#below(12)) + this.#below(1000);
  }

  #command(): (string | number)[] {
    const key = (type: string): string => `${type}:${this.#below(30)}`;
    const member = (): string => `m${this.#below(200)}`;
    switch (this.#below(26)) {
      case 0:
        return ["SET", key("s"), this.#text()];
      case 1:
        return ["SET", key("s"), this.#text(), "PX", this.#below(400) + 1];
      case 2:
        return ["APPEND", key("s"), this.#text()];
      case 3:
        return ["INCRBY", key("n"), this.#below(1000) - 500];
      case 4:
        return ["SETRANGE", key("s"), this.#below(100), this.#text()];
      case 5:
        return ["RPUSH", key("l"), this.#text(), this.#text(), this.#text()];
      case 6:
        return ["LPUSH", key("l"), this.#text()];
      case 7:
        return ["LPOP", key("l"), this.#below(4)];
      case 8:
        return ["LTRIM", key("l"), 0, this.#below(60)];
      case 9:
        return ["SADD", key("t"), member(), member(), this.#below(1000)];
      case 10:
        return ["SPOP", key("t"), this.#below(4)];
      case 11:
        return ["SINTERSTORE", key("t"), key("t"), key("t")];
      case 12:
        return ["HSET", key("h"), member(), this.#text(), member(), this.#text()];
      case 13:
        return ["HDEL", key("h"), member(), member()];
      case 14:
        return ["HINCRBY", key("hn"), member(), this.#below(100)];
      case 15:
        return ["ZADD", key("z"), this.#below(1000), member(), this.#below(1000), member()];
      case 16:
        return ["ZPOPMIN", key("z"), this.#below(3)];
      case 17:
        return ["ZINCRBY", key("z"), this.#below(50), member()];
      case 18:
        return ["XADD", key("x"), "MAXLEN", "~", 100, "*", "f", this.#text(), member(), this.#text()];
      case 19:
        return ["PEXPIRE", key(["s", "l", "t", "h", "z"][this.#below(5)]), this.#below(500) + 1];
      case 20:
        return ["DEL", key(["s", "l", "t", "h", "z", "x"][this.#below(6)])];
      case 21:
        return ["RENAME", key("s"), key("s")];
      case 22:
        return ["PFADD", key("p"), member(), member()];
      case 23:
        return ["SETBIT", key("b"), this.#below(2000), this.#below(2)];
      case 24:
        return ["GETEX", key("s"), "EX", 100];
      default:
        return ["COPY", key("h"), key("h"), "REPLACE"];
    }
  }

  /** Sends some commands in one piece, now and then as a transaction or in another database. */
  async send(client: RespClient, count: number): Promise<void> {
    const commands: (string | number)[][] = [];
    for (let i = 0; i < count; i++) {
      if (this.#below(40) === 0) commands.push(["SELECT", this.#below(3)]);
      if (this.#below(20) === 0) commands.push(["MULTI"], this.#command(), this.#command(), ["EXEC"]);
      else commands.push(this.#command());
    }
    this.count += commands.length;
    await client.pipeline(commands);
  }
}

/** Digests of sorted sets depend on how a version prints scores. */
const FAMILIES = DATA_FAMILIES.filter(({ family }) => !["zset", "sort"].includes(family));
const LEFT_OUT =
  /^(?:AUTH|BL|BRPOP|BZ|CLIENT|CONFIG|DEBUG|FAILOVER|HELLO|INFO|MONITOR|P?SUBSCRIBE|QUIT|RESET|SHUTDOWN|SSUBSCRIBE|WAIT|XREAD)/i;

/** Sends `count` random commands of all families, in several databases. */
export async function randomWrites(client: RespClient, random: Prng, count: number): Promise<void> {
  const draw = new Draw(random);
  const commands: Uint8Array[][] = [];
  let inMulti = false;
  while (commands.length < count) {
    const family = FAMILIES[random.below(FAMILIES.length)];
    const drawn = family.draw(draw);
    const args = "args" in drawn ? drawn.args : drawn;
    if (LEFT_OUT.test(args[0])) continue;
    if (/^MULTI$/i.test(args[0])) inMulti = true;
    if (/^(?:EXEC|DISCARD)$/i.test(args[0])) inMulti = false;
    if (!inMulti && random.below(10) === 0)
      commands.push([Buffer.from("SELECT"), Buffer.from(String(random.below(4)))]);
    commands.push(args.map((arg) => Buffer.from(arg, "latin1")));
  }
  if (inMulti) commands.push([Buffer.from("EXEC")]);
  for (let i = 0; i < commands.length; i += 100) await client.pipeline(commands.slice(i, i + 100));
}
