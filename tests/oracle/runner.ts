// Replays a seeded random sequence of commands against a live redis-server and our server and demands equal replies. When they
// differ, the sequence is cut down to the shortest tail that still shows the difference.

import { Prng } from "../../src/base/prng.ts";
import { encodeCommand, type RespClient } from "../support/client.ts";
import type { RunningServer } from "../support/process.ts";
import { Draw } from "./draw.ts";
import type { Command, Generator, Step } from "./generator.ts";

/** The two servers. */
export interface Pair {
  readonly theirs: RunningServer;
  readonly ours: RunningServer;
}

/** One run. */
export interface Run {
  readonly generator: Generator;
  readonly protocol: 2 | 3;
  readonly seed: number;
  readonly commandCount: number;
}

/** A step whose replies differ. */
interface Difference {
  readonly index: number;
  readonly theirs: string;
  readonly ours: string;
}

/** Commands of one connection that are sent in one go. */
const BATCH_MAX = 64;
/** Replays that shrinking may take. */
const SHRINK_REPLAYS_MAX = 300;
const FENCE = "oracle-fence";

/** Commands per family and protocol: REDIS_TS_ORACLE_COMMANDS, or enough for a few seconds. */
export function oracleCommandCount(): number {
  const given = process.env.REDIS_TS_ORACLE_COMMANDS;
  const count = given === undefined ? 3000 : Number(given);
  if (!Number.isSafeInteger(count) || count < 1) throw new Error(`REDIS_TS_ORACLE_COMMANDS is no count: ${given}`);
  return count;
}

/** The steps of a run: a function of its seed. Throws when a command is drawn that the generator calls absent. */
export function stepsOf(run: Run): Step[] {
  const draw = new Draw(new Prng(run.seed * 4 + run.protocol));
  const steps: Step[] = [];
  for (let i = 0; i < run.commandCount; i++) {
    const drawn = run.generator.draw(draw);
    const step: Step = "args" in drawn ? drawn : { client: 0, args: drawn };
    const name = (step.args[0] ?? "").toUpperCase();
    if (run.generator.absent?.[name] !== undefined) throw new Error(`${name} was drawn but is marked absent`);
    steps.push(step);
  }
  for (const args of run.generator.probes?.() ?? []) steps.push({ client: 0, args });
  return steps;
}

/** Runs and compares; throws an Error with the seed and the shortest failing tail when the servers differ. */
export async function runOracle(pair: Pair, run: Run): Promise<void> {
  const steps = stepsOf(run);
  const difference = await replay(pair, run, steps, BATCH_MAX);
  if (difference === null) return;
  const tail = await shrink(pair, run, steps.slice(0, difference.index + 1));
  const shown = (await replay(pair, run, tail, 1)) ?? difference;
  throw new Error(
    [
      `redis-server and we differ: family ${run.generator.family}, RESP${run.protocol}, seed ${run.seed} (REDIS_TS_TEST_SEED), command ${difference.index}`,
      ...tail.map((step) => `  ${run.generator.clients === undefined ? "" : `[${step.client}] `}${show(step.args)}`),
      `redis-server: ${JSON.stringify(shown.theirs.slice(0, 2000))}`,
      `we:           ${JSON.stringify(shown.ours.slice(0, 2000))}`,
    ].join("\n"),
  );
}

function show(args: Command): string {
  return args.map((arg) => (/^[\w:.+-]+$/.test(arg) ? arg : JSON.stringify(arg))).join(" ");
}

/** The connections of one replay, on both sides. */
class Sides {
  readonly theirs: RespClient[] = [];
  readonly ours: RespClient[] = [];

  static async open(pair: Pair, run: Run): Promise<Sides> {
    const sides = new Sides();
    for (let i = 0; i < (run.generator.clients ?? 1); i++) {
      sides.theirs.push(await pair.theirs.connect());
      sides.ours.push(await pair.ours.connect());
    }
    for (const client of [...sides.theirs, ...sides.ours]) {
      if (run.protocol === 3) await client.must("HELLO", 3);
    }
    await sides.theirs[0]!.must("FLUSHALL");
    await sides.ours[0]!.must("FLUSHALL");
    return sides;
  }

  close(): void {
    for (const client of [...this.theirs, ...this.ours]) client.close();
  }
}

/** Runs steps on fresh connections and an empty keyspace; the first difference, or null. */
async function replay(pair: Pair, run: Run, steps: readonly Step[], batchMax: number): Promise<Difference | null> {
  const sides = await Sides.open(pair, run);
  try {
    let index = 0;
    while (index < steps.length) {
      const size = run.generator.pushes ? 1 : batchSize(steps, index, batchMax);
      const batch = steps.slice(index, index + size);
      const [theirs, ours] = await Promise.all([
        exchange(sides.theirs, batch, run),
        exchange(sides.ours, batch, run).catch((error) => {
          throw new Error(
            `${error}\nafter ${batch.map((s) => show(s.args)).join("\n")}\n${pair.ours.log().slice(-3000)}`,
          );
        }),
      ]);
      for (let i = 0; i < batch.length; i++) {
        if (!agrees(run.generator, batch[i]!.args, theirs[i]!, ours[i]!))
          return { index: index + i, theirs: theirs[i]!, ours: ours[i]! };
      }
      index += size;
    }
    return null;
  } finally {
    sides.close();
  }
}

/** How many steps from `index` on are of one connection. */
function batchSize(steps: readonly Step[], index: number, batchMax: number): number {
  let size = 1;
  while (size < batchMax && index + size < steps.length && steps[index + size]!.client === steps[index]!.client) size++;
  return size;
}

/** Sends a batch and reads what comes: one frame a command, or with pushes all frames up to the fence of every connection. */
async function exchange(clients: readonly RespClient[], batch: readonly Step[], run: Run): Promise<string[]> {
  const client = clients[batch[0]!.client]!;
  client.write(Buffer.concat(batch.map((step) => encodeCommand(step.args))));
  const replies: string[] = [];
  if (!run.generator.pushes) {
    for (let i = 0; i < batch.length; i++) replies.push(await client.readRaw());
    return replies;
  }
  let all = "";
  for (const [i, each] of clients.entries()) {
    each.write(encodeCommand(["PING", FENCE]));
    for (let frame = ""; !frame.includes(FENCE); all += `${i}: ${frame}`) frame = await each.readRaw();
  }
  return [all];
}

function agrees(generator: Generator, args: Command, theirs: string, ours: string): boolean {
  if (theirs === ours) return true;
  const agreement = generator.agree?.[(args[0] ?? "").toUpperCase()];
  if (agreement?.(theirs, ours)) return true;
  return generator.known?.some((difference) => difference.matches(args, theirs, ours)) ?? false;
}

/** The shortest tail found whose last step still differs, with steps left out that do not matter. */
async function shrink(pair: Pair, run: Run, steps: readonly Step[]): Promise<readonly Step[]> {
  let replays = 0;
  const fails = async (candidate: readonly Step[]): Promise<boolean> => {
    replays++;
    const difference = await replay(pair, run, candidate, BATCH_MAX);
    return difference !== null && difference.index === candidate.length - 1;
  };
  let tail = steps;
  for (let length = 1; length < steps.length && replays < SHRINK_REPLAYS_MAX; length *= 2) {
    const candidate = steps.slice(-length);
    if (!(await fails(candidate))) continue;
    tail = candidate;
    break;
  }
  // Chunks of falling size are left out where the difference stays.
  for (let size = tail.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at + size < tail.length && replays < SHRINK_REPLAYS_MAX; ) {
      const candidate = [...tail.slice(0, at), ...tail.slice(at + size)];
      if (await fails(candidate)) tail = candidate;
      else at += size;
    }
  }
  return tail;
}
