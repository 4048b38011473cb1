// Commands of which only some numbers change, made and sent faster than a server runs them: for measurements with millions of different keys or members.

/** Odd, so that its multiples run through all 32-bit numbers once, in an order that looks random. */
const STRIDE = 2654435761;
const DIGITS = 10;
const HOLE = "#".repeat(DIGITS);

/** The `index`th of the 2^32 numbers below 2^32, each of which comes once, as if at random. */
export function scattered(index: number): number {
  return Math.imul(index, STRIDE) >>> 0;
}

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

/** A command whose words may have a # each: there a number of ten digits goes. */
export class Template {
  readonly bytes: Uint8Array;
  readonly #places: number[] = [];

  constructor(words: readonly string[]) {
    const text = `*${words.length}\r\n${words.map((word) => bulk(word.replace("#", HOLE))).join("")}`;
    this.bytes = Buffer.from(text, "latin1");
    for (let at = text.indexOf(HOLE); at >= 0; at = text.indexOf(HOLE, at + DIGITS)) this.#places.push(at);
  }

  /** The command with a number, below 10^10, for each # in turn. Good until the next call. */
  fill(number: (place: number) => number): Uint8Array {
    for (let place = 0; place < this.#places.length; place++) {
      let n = number(place);
      for (let at = this.#places[place]! + DIGITS - 1; at >= this.#places[place]!; at--) {
        this.bytes[at] = 48 + (n % 10);
        n = Math.floor(n / 10);
      }
    }
    return this.bytes;
  }
}

/** Sends `count` commands, up to `inFlight` at a time, and waits for their replies, each of `replyLines` lines. Fails with the first error that begins a reply. */
export async function drive(
  port: number,
  count: number,
  inFlight: number,
  replyLines: number,
  make: (index: number) => Uint8Array,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let out = new Uint8Array(1 << 16);
  let sent = 0;
  let lines = 0;
  let begin = 0;
  let end = 0;
  const append = (command: Uint8Array): void => {
    if (end + command.length > out.length) {
      const grown = new Uint8Array((end + command.length) * 2);
      grown.set(out.subarray(0, end));
      out = grown;
    }
    out.set(command, end);
    end += command.length;
  };
  const send = (socket: Bun.Socket): void => {
    if (begin === end) {
      if (lines < sent * replyLines) return;
      if (sent === count) {
        socket.end();
        return;
      }
      begin = end = 0;
      for (let i = 0; i < inFlight && sent < count; i++) append(make(sent++));
    }
    begin += Math.max(0, socket.write(out, begin, end - begin));
  };
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(socket, chunk) {
        if (chunk[0] === 45) reject(new Error(chunk.toString("latin1")));
        for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++;
        send(socket);
      },
      drain: send,
      close: () => (lines === count * replyLines ? resolve() : reject(new Error("the server closed the connection"))),
      error: (_socket, error) => reject(error),
    },
  });
  send(socket);
  await promise;
}
