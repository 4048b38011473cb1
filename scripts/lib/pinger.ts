// A client that pings a server each millisecond and keeps what it saw: how long the server lets others wait. It sees what no command is charged for, such as
// a collection of garbage, and whatever else the machine does.

/** What a pinger has seen. */
export interface Pings {
  readonly count: number;
  readonly maxMs: number;
  /** How many were slower than each of the limits asked about. */
  readonly slow: readonly number[];
}

export class Pinger {
  readonly #limitsMs: readonly number[];
  readonly #slow: number[];
  #count = 0;
  #maxMs = 0;
  #sentMs = 0;
  #stopped = false;

  /** Counts pings slower than each of `limitsMs`. */
  constructor(limitsMs: readonly number[]) {
    this.#limitsMs = limitsMs;
    this.#slow = limitsMs.map(() => 0);
  }

  async start(port: number): Promise<void> {
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: () => {
          this.#note(performance.now() - this.#sentMs);
          setTimeout(() => this.#ping(socket), 1);
        },
      },
    });
    this.#ping(socket);
  }

  /** Ends it. A ping whose answer is still out counts for as long as it has waited. */
  stop(): Pings {
    if (this.#sentMs > 0) this.#note(performance.now() - this.#sentMs);
    this.#stopped = true;
    return { count: this.#count, maxMs: this.#maxMs, slow: this.#slow };
  }

  #ping(socket: Bun.Socket): void {
    if (this.#stopped) return;
    this.#sentMs = performance.now();
    socket.write("PING\r\n");
  }

  #note(ms: number): void {
    this.#sentMs = 0;
    this.#count++;
    this.#maxMs = Math.max(this.#maxMs, ms);
    for (const [i, limit] of this.#limitsMs.entries()) if (ms > limit) this.#slow[i]!++;
  }
}
