// Does a server slow down when its data outgrows 1, 2, 4 GiB? Fills it with strings of several sizes and says for each GiB how fast SET of new keys and GET
// of random ones were, against the first. Servers have their turns one after the other, so that there is memory for each.
// usage: bun scripts/bench/growth.ts [--gib 6] [NAME=PROGRAM ...]     by default redis-ts and the redis-server on the PATH
//
// The processor time that the server took for a command (Linux only) is the better figure on a machine that has other things to do.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { BenchServer } from "../lib/bench-server.ts";
import { drive, scattered, Template } from "../lib/numbered-commands.ts";
import { BINARY, fail, say } from "../lib/project.ts";

const GIBIBYTE = 1024 ** 3;
const VALUE_BYTES = [20, 100, 500, 2000] as const;
const IN_FLIGHT = 64;
/** SETs between looks at how much memory is used. */
const PORTION = 100_000;
const GETS = 400_000;

/** A rate, and the processor time of the server, over `count` commands. */
interface Pace {
  readonly perSecond: number;
  readonly cpuUs: number;
}

/** Sums up times until it is asked for a pace. */
class Meter {
  readonly #server: BenchServer;
  #ms = 0;
  #cpuMs = 0;
  #count = 0;

  constructor(server: BenchServer) {
    this.#server = server;
  }

  async add(count: number, run: () => Promise<void>): Promise<void> {
    const cpuMs = this.#cpuMsOfServer();
    const begunMs = performance.now();
    await run();
    this.#ms += performance.now() - begunMs;
    this.#cpuMs += this.#cpuMsOfServer() - cpuMs;
    this.#count += count;
  }

  pace(): Pace {
    return { perSecond: (this.#count / this.#ms) * 1000, cpuUs: (this.#cpuMs / this.#count) * 1000 };
  }

  #cpuMsOfServer(): number {
    return process.platform === "linux" ? this.#server.cpuMs() : Number.NaN;
  }
}

/** How the pace of a step stands to that of the first: 1 is as fast, less is slower. */
function against(first: Pace, pace: Pace): string {
  const wall = (pace.perSecond / first.perSecond).toFixed(2);
  return `${(pace.perSecond / 1000).toFixed(0).padStart(5)} k/s, ${pace.cpuUs.toFixed(2)} us  (${wall}, ${(first.cpuUs / pace.cpuUs).toFixed(2)})`;
}

async function usedBytes(server: BenchServer): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await server.command("info", "memory"))?.[1]);
}

async function measure(name: string, program: string, gib: number): Promise<void> {
  const server = await BenchServer.start(name, program);
  const sets = VALUE_BYTES.map((bytes) => new Template(["SET", "key:#", "v".repeat(bytes)]));
  const get = new Template(["GET", "key:#"]);
  const firsts: Pace[] = [];
  let keys = 0;
  say(`\n${name}: thousands a second and processor time a command (against the first GiB: rate, processor)`);
  for (let step = 1; step <= gib; step++) {
    const setMeter = new Meter(server);
    for (; (await usedBytes(server)) < step * GIBIBYTE; keys += PORTION)
      await setMeter.add(PORTION, () =>
        drive(server.port, PORTION, IN_FLIGHT, 1, (i) =>
          sets[(keys + i) % sets.length]!.fill(() => scattered(keys + i)),
        ),
      );
    const getMeter = new Meter(server);
    // The numbers that scattered() gives are spread well enough to choose keys by, too.
    await getMeter.add(GETS, () =>
      drive(server.port, GETS, IN_FLIGHT, 2, (i) => get.fill(() => scattered(scattered(i + step * GETS) % keys))),
    );
    const paces = [setMeter.pace(), getMeter.pace()];
    if (step === 1) firsts.push(...paces);
    const resident = ((await server.residentBytes()) / GIBIBYTE).toFixed(1);
    const columns = paces.map((pace, i) => `${["SET", "GET"][i]} ${against(firsts[i]!, pace)}`).join("   ");
    say(
      `${String(step).padStart(3)} GiB  ${(keys / 1e6).toFixed(1).padStart(5)} M keys  resident ${resident} GiB   ${columns}`,
    );
  }
  await server.stop();
}

const args = process.argv.slice(2);
const gibAt = args.indexOf("--gib");
const gib = gibAt < 0 ? 6 : Number(args.splice(gibAt, 2)[1]);
const usage = "usage: growth [--gib N] [NAME=PROGRAM ...]";
if (!Number.isInteger(gib) || gib < 1) fail(usage);
const servers = args.length > 0 ? args : [`redis-ts=${BINARY}`, "redis-server=redis-server"];
for (const server of servers) {
  const [name, program] = server.split("=");
  if (name === undefined || program === undefined) fail(usage);
  if (program.includes("/") && !existsSync(program)) fail(`${program} is not there: npm run build`);
  // The server runs in a folder of its own.
  await measure(name, program.includes("/") ? resolve(program) : program, gib);
}
