// What is logged for a command, against the append-only file of a live redis-server: facts, not requests.

import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RespClient } from "../support/client.ts";
import { type TestClient, type TestServer, testServer } from "../support/engine.ts";
import { describeOracle, startOracle } from "../support/oracle.ts";
import { LogCollector } from "./aof-support.ts";

/** One after the other, each on what the ones before have left. */
const COMMANDS = `
set a 1
set a 1 ex 100
set a 2 px 100000
set a 3 exat 9999999999
set a 3 keepttl
set a 4 get
set a 5 xx get
set a 5 nx
set a 5 ex 100 get
setex b 10 v
psetex b 10000 v
setnx c 1
setnx c 2
getset c 3
getdel c
set c 1
getex c
getex c ex 100
getex c persist
getex c exat 1
set c 1
append c 23
setrange c 1 9
incr c
incrby c 10
decr c
decrby c 2
incrbyfloat c 1.5
incrbyfloat newf 1e3
mset x 1 y 2
msetnx x 1 zz 2
msetnx q1 1 q2 2
setbit bits 7 1
bitfield bits set u8 0 255
bitfield bits get u8 0
bitop not bits2 bits
expire x 100
pexpire x 100000
expireat x 9999999999
pexpireat x 9999999999000
expire x 100 gt
expire x 100 lt
persist x
persist x
expire x -1
expire nokey 100
set x 1
pexpireat x 1
del y
del nope
unlink q1
set x 1
rename x xx
renamenx xx xxx
copy xxx xxxx
move xxxx 3
select 3
set in3 1 ex 50
select 0
touch xxx
rpush l a b c d e f g
lpush l z
rpushx l q
lpushx nol q
lpop l
rpop l 2
lpop nol
lset l 0 A
linsert l before A x
linsert l before nonesuch x
lrem l 1 x
ltrim l 0 3
lmove l l2 left right
rpoplpush l l2
lmpop 1 l2 left count 1
lmpop 1 l2 right count 10
blpop l 0
brpop l 0
rpush l a b c
blmove l l3 left right 0
brpoplpush l l3 0
blmpop 0 1 l3 left count 5
sadd s a b c d e
sadd s a
srem s a
sadd one x
spop one
spop s 100
sadd s a b c
smove s s2 a
sinterstore d1 s s
sunionstore d2 s s2
sdiffstore d3 s s
sdiffstore d2 s s
hset h f v f2 v2
hset h f v
hsetnx h f3 1
hsetnx h f3 1
hmset h a 1
hincrby h n 5
hincrbyfloat h n 1.5
hdel h f
hdel h nof
zadd z 1 a 2 b 3 c
zadd z 1 a
zadd z incr 1 a
zadd z gt 5 a
zadd z nx 1 a
zincrby z 1.5 b
zrem z b
zrem z b
zpopmin z
zpopmax z 5
zadd z 1 a 2 b 3 c 4 d 5 e
bzpopmin z 0
bzpopmax z 0
zmpop 1 z min count 1
bzmpop 0 1 z max count 1
zadd z 1 a 2 b 3 c 4 d 5 e
zremrangebyscore z 1 2
zremrangebyrank z 0 0
zremrangebylex z - +
zadd z 1 a 2 b
zunionstore zu 1 z
zinterstore zi 1 z
zdiffstore zd 1 z
zrangestore zr z 0 -1
geoadd g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
georadius g 15 37 200 km store gs
geosearchstore gs2 g fromlonlat 15 37 byradius 200 km
pfadd hll a b c
pfadd hll a
pfmerge hll2 hll
pfcount hll
xadd st * a 1
xadd st 5-* a 1
xadd st2 5-1 a 1
xadd st2 5-* a 1
xadd st2 maxlen 1 6-1 b 2
xadd st2 maxlen ~ 1 7-1 b 2
xadd st2 nomkstream 8-1 b 2
xadd nost nomkstream 8-1 b 2
xtrim st2 maxlen 1
xtrim st2 minid ~ 7
xgroup create st2 gr 0
xgroup createconsumer st2 gr c0
xreadgroup group gr c1 count 1 streams st2 >
xreadgroup group gr c2 noack count 1 streams st2 >
xadd st2 9-1 a b
xadd st2 9-2 a b
xreadgroup group gr c2 noack count 1 streams st2 >
xreadgroup group gr c1 streams st2 >
xclaim st2 gr c3 0 9-2
xclaim st2 gr c3 0 9-2 justid
xautoclaim st2 gr c4 0 0 count 1
xack st2 gr 9-2
xgroup setid st2 gr 0
xgroup delconsumer st2 gr c3
xgroup destroy st2 gr
xdel st2 9-1
xsetid st2 99-1
sort l3 store sl
rpush nums 3 1 2
sort nums store sorted
sort nonum store sorted
swapdb 0 1
swapdb 0 1
flushdb
flushdb async
flushall
publish ch m
multi
set t1 1
incr t1
exec
multi
set t1 1
exec
multi
get t1
exec
multi
set t1 2
select 2
set t2 1
select 0
exec
eval "return 1" 0
`;

/** Where newer servers log something else, or more. */
const NEWER: ReadonlyMap<string, string> = new Map([
  ["xreadgroup group gr c1 count 1 streams st2 >", "where the group is, too"],
  ["xreadgroup group gr c2 noack count 1 streams st2 >", "the consumer, whether it gets something or not"],
  ["xreadgroup group gr c1 streams st2 >", "where the group is, too"],
]);

const folder = mkdtempSync(join(tmpdir(), "aof-facts-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2]);
}

/** The commands of a log, a line each, lower case; times of today are alike. */
function commandsOf(log: string): string[] {
  return log
    .split(/(?=^\*\d+\r\n\$)/m)
    .filter((command) => command !== "")
    .map((command) => [...command.matchAll(/\$\d+\r\n([^\r]*)\r\n/g)].map((match) => match[1]).join(" "))
    .map((line) =>
      line
        .toLowerCase()
        .replace(/\b1[78]\d{11}\b/g, "<today>")
        .replace(/<today>-\d+/g, "<today>-n"),
    );
}

class Ours {
  readonly #server: TestServer = testServer();
  readonly #client: TestClient = this.#server.connect();
  readonly #log = new LogCollector(this.#server.engine);
  #seen = 0;

  /** Runs a command; what was logged for it. */
  run(args: string[]): string[] {
    this.#server.clock.setMs(Date.now());
    this.#server.advance(1);
    this.#client.raw(...args);
    const log = this.#log.bytes.toString("latin1");
    const news = log.slice(this.#seen);
    this.#seen = log.length;
    return commandsOf(news);
  }
}

class Theirs {
  readonly #client: RespClient;
  #seen = 0;

  constructor(client: RespClient) {
    this.#client = client;
  }

  async run(args: string[]): Promise<string[]> {
    await this.#client.call(...args);
    const log = readFileSync(join(folder, "appendonlydir", "appendonly.aof.1.incr.aof"), "latin1");
    const news = log.slice(this.#seen);
    this.#seen = log.length;
    return commandsOf(news);
  }
}

describeOracle("what is logged", () => {
  test("for each command in turn", async () => {
    const server = await startOracle(["--dir", folder, "--appendonly", "yes", "--appendfsync", "always"]);
    try {
      const theirs = new Theirs(await server.connect());
      const ours = new Ours();
      const differences: string[] = [];
      for (const line of COMMANDS.trim().split("\n")) {
        const args = words(line);
        const expected = await theirs.run(args);
        const actual = ours.run(args);
        if (NEWER.has(line)) continue;
        if (expected.join(" | ") !== actual.join(" | "))
          differences.push(`${line}: redis-server logs ${JSON.stringify(expected)}, we log ${JSON.stringify(actual)}`);
      }
      expect(differences).toEqual([]);
    } finally {
      await server.stop();
    }
  }, 30_000);
});
