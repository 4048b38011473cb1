// What tests of replication share: servers with DEBUG, waiting for what takes a moment, random writes of all families.

import type { Prng } from "../../src/base/prng.ts";
import { DATA_FAMILIES } from "../oracle/data-families.ts";
import { Draw } from "../oracle/draw.ts";
import type { RespClient } from "../support/client.ts";
import { startOracle } from "../support/oracle.ts";
import type { RunningServer } from "../support/process.ts";
import type { Reply } from "../support/reply.ts";
import { ReplyError } from "../support/reply.ts";
import { startServer } from "../support/server.ts";

const ARGUMENTS = [
  "--enable-debug-command",
  "yes",
  "--shutdown-timeout",
  "0",
  "--repl-diskless-sync-delay",
  "0",
  "--repl-ping-replica-period",
  "1",
];

/** Starts our server. */
export function startOurs(...args: string[]): Promise<RunningServer> {
  return startServer([...ARGUMENTS, ...args]);
}

/** Starts redis-server. */
export function startTheirs(...args: string[]): Promise<RunningServer> {
  return startOracle([...ARGUMENTS, ...args]);
}

/** The text of an error reply; "" when the reply is none. */
export function errorText(reply: Reply): string {
  return reply instanceof ReplyError ? reply.message : "";
}

/** Waits until `done` answers true; fails with `what` after `limitMs`. */
export async function until(what: string, done: () => Promise<boolean>, limitMs = 15_000): Promise<void> {
  for (let leftMs = limitMs; leftMs > 0; leftMs -= 20) {
    if (await done()) return;
    await Bun.sleep(20);
  }
  throw new Error(`not within ${limitMs} ms: ${what}`);
}

/** A field of INFO; "" when there is none. */
export async function info(client: RespClient, field: string): Promise<string> {
  const text = String(await client.must("INFO", "everything"));
  return new RegExp(`^${field}:(.*?)\r?$`, "m").exec(text)?.[1] ?? "";
}

/** Makes `replica` a replica of `primary` and waits until it has the data set. */
export async function follow(replica: RespClient, primary: RunningServer): Promise<void> {
  await replica.must("REPLICAOF", "127.0.0.1", primary.port);
  await until("link up", async () => (await info(replica, "master_link_status")) === "up");
}

/** Waits until the data sets of all are equal. */
export async function expectEqualData(note: string, ...clients: RespClient[]): Promise<void> {
  let digests: string[] = [];
  const equal = async (): Promise<boolean> => {
    digests = await Promise.all(clients.map(async (client) => String(await client.must("DEBUG", "DIGEST"))));
    return digests.every((digest) => digest === digests[0]);
  };
  await until(`${note}: equal digests`, equal).catch((error: Error) => {
    throw new Error(`${error.message}: ${digests.join(" ")}`);
  });
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
