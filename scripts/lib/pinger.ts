// A client that pings a server each millisecond and keeps what it saw: how long the server lets others wait. It sees what no command is charged for, such as
// a collection of garbage, and whatever else the machine does.

import { readFileSync } from "node:fs";

/** What a pinger has seen. */
export interface Pings {
  readonly count: number;
  readonly maxMs: number;
  /** How many were slower than each of the limits asked about. */
  readonly slow: readonly number[];
  /**
   * Most processor time that the server's main thread took from a ping to the reading of its answer: at most so long would the wait have been on an idle
   * machine. Work that the server did while the pinger waited for a processor itself counts, too, and the system keeps this time to the tick (4 ms). 0 if unknown.
   */
  readonly busyMaxMs: number;
  /** In how many pings that time was above each of the limits. */
  readonly busy: readonly number[];
}

/** Pings that are not counted. */
const REHEARSED_PINGS = 200;

export class Pinger {
  readonly #limitsMs: readonly number[];
  readonly #slow: number[];
  readonly #busy: number[];
  readonly #scheduleFile: string | null;
  #count = 0;
  #maxMs = 0;
  #busyMaxMs = 0;
  #sentMs = 0;
  #sentCpuMs = 0;
  #stopped = false;

  /** Counts pings slower than each of `limitsMs`. With the server's process number it also looks at the time that this takes itself: Linux only. */
  constructor(limitsMs: readonly number[], serverPid: number | null = null) {
    this.#limitsMs = limitsMs;
    this.#slow = limitsMs.map(() => 0);
    this.#busy = limitsMs.map(() => 0);
    this.#scheduleFile = serverPid === null ? null : `/proc/${serverPid}/task/${serverPid}/schedstat`;
  }

  /** Begins to ping, and to count when the code of this process has been compiled: its own first ping would take 15 ms. */
  async start(port: number): Promise<void> {
    await this.#connect(port);
    while (this.#count < REHEARSED_PINGS) await Bun.sleep(REHEARSED_PINGS);
    this.#count = 0;
    this.#maxMs = 0;
    this.#busyMaxMs = 0;
    this.#slow.fill(0);
    this.#busy.fill(0);
  }

  async #connect(port: number): Promise<void> {
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: () => {
          this.#note();
          setTimeout(() => this.#ping(socket), 1);
        },
      },
    });
    this.#ping(socket);
  }

  /** Ends it. A ping whose answer is still out counts for as long as it has waited. */
  stop(): Pings {
    if (this.#sentMs > 0) this.#note();
    this.#stopped = true;
    return {
      count: this.#count,
      maxMs: this.#maxMs,
      slow: this.#slow,
      busyMaxMs: this.#busyMaxMs,
      busy: this.#busy,
    };
  }

  #ping(socket: Bun.Socket): void {
    if (this.#stopped) return;
    this.#sentCpuMs = this.#cpuMs();
    this.#sentMs = performance.now();
    socket.write("PING\r\n");
  }

  #note(): void {
    const ms = performance.now() - this.#sentMs;
    const busyMs = this.#cpuMs() - this.#sentCpuMs;
    this.#sentMs = 0;
    this.#count++;
    this.#maxMs = Math.max(this.#maxMs, ms);
    this.#busyMaxMs = Math.max(this.#busyMaxMs, busyMs);
    for (const [i, limit] of this.#limitsMs.entries()) {
      if (ms > limit) this.#slow[i]!++;
      if (busyMs > limit) this.#busy[i]!++;
    }
  }

  /** Processor time of the server's main thread so far. */
  #cpuMs(): number {
    return this.#scheduleFile === null ? 0 : Number.parseInt(readFileSync(this.#scheduleFile, "latin1"), 10) / 1e6;
  }
}
