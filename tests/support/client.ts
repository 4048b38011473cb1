// A small RESP2 and RESP3 client for tests: parsed replies, exact reply bytes, and raw writes on one socket.
// Strings stand for bytes here, one character (0..255) a byte, in both directions; utf8() makes bytes from other text.

import { Push, parseReply, type Reply, ReplyError } from "./reply.ts";

/** An argument of a command; a string or number is sent as its characters. */
export type Argument = string | number | Uint8Array;

/** Where a client connects. */
export type Address = { readonly port: number; readonly host?: string } | { readonly unix: string };

/** How long a read waits before it fails. */
const READ_LIMIT_MS = 15_000;

const SUBSCRIPTION = /^(?:p|s)?(?:un)?subscribe$/i;

/** UTF-8 bytes of a text. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function bytesOf(argument: Argument): Buffer {
  if (typeof argument === "object") return Buffer.from(argument.buffer, argument.byteOffset, argument.byteLength);
  const text = String(argument);
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 255) throw new Error(`character beyond a byte in ${JSON.stringify(text)}: use utf8()`);
  }
  return Buffer.from(text, "latin1");
}

/** A command as the array of bulk strings that goes over the wire. */
export function encodeCommand(args: readonly Argument[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const argument of args) {
    const bytes = bytesOf(argument);
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n"));
  }
  return Buffer.concat(parts);
}

/** One connection. Replies come in the order of the requests; the caller reads as many as it sent. */
export class RespClient {
  /** Pushes that call() and pipeline() passed over while they waited for a reply. */
  readonly pushes: Push[] = [];
  #socket: Bun.Socket<undefined> | null = null;
  #received: Buffer = Buffer.alloc(0);
  #unsent: Buffer = Buffer.alloc(0);
  #closed = false;
  #paused = false;
  #wake: (() => void) | null = null;

  /** Opens a connection. */
  static async connect(address: Address): Promise<RespClient> {
    const client = new RespClient();
    const socket: Bun.SocketHandler<undefined> = {
      data: (_socket, chunk) => client.#take(chunk),
      drain: () => client.#flush(),
      close: () => client.#end(),
      end: () => client.#end(),
      error: () => client.#end(),
    };
    client.#socket =
      "unix" in address
        ? await Bun.connect({ unix: address.unix, socket })
        : await Bun.connect({ hostname: address.host ?? "127.0.0.1", port: address.port, socket });
    return client;
  }

  /** Whether the server has closed the connection, or close() was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Sends a command and reads its reply. An error is returned as a ReplyError, not thrown. */
  async call(...args: Argument[]): Promise<Reply> {
    this.write(encodeCommand(args));
    const pushIsReply = SUBSCRIPTION.test(String(args[0]));
    for (;;) {
      const reply = await this.readReply();
      if (!(reply instanceof Push) || pushIsReply) return reply;
      this.pushes.push(reply);
    }
  }

  /** Sends a command and returns the bytes of its reply exactly as they came. */
  async callRaw(...args: Argument[]): Promise<string> {
    this.write(encodeCommand(args));
    return await this.readRaw();
  }

  /** Sends a command and fails if the reply is an error. */
  async must(...args: Argument[]): Promise<Reply> {
    const reply = await this.call(...args);
    if (reply instanceof ReplyError) throw new Error(`${args.map(String).join(" ")}: ${reply.message}`);
    return reply;
  }

  /** Sends all commands in one write and reads all replies. */
  async pipeline(commands: readonly (readonly Argument[])[]): Promise<Reply[]> {
    this.write(Buffer.concat(commands.map(encodeCommand)));
    const replies: Reply[] = [];
    while (replies.length < commands.length) {
      const reply = await this.readReply();
      if (reply instanceof Push) this.pushes.push(reply);
      else replies.push(reply);
    }
    return replies;
  }

  /** Sends bytes as they are. */
  write(bytes: string | Uint8Array): void {
    this.#unsent = Buffer.concat([this.#unsent, bytesOf(bytes)]);
    this.#flush();
  }

  /** Reads one reply or push. */
  async readReply(): Promise<Reply> {
    return (await this.#readFrame()).reply;
  }

  /** Reads one reply or push and returns its bytes. */
  async readRaw(): Promise<string> {
    return (await this.#readFrame()).raw;
  }

  /** Reads exactly `count` bytes. */
  async readBytes(count: number): Promise<string> {
    await this.#until(() => this.#received.length >= count, `${count} bytes`);
    const bytes = this.#received.toString("latin1", 0, count);
    this.#received = this.#received.subarray(count);
    return bytes;
  }

  /** Reads up to the line end and returns the line without it. */
  async readLine(): Promise<string> {
    await this.#until(() => this.#received.includes("\n"), "a line");
    const line = await this.readBytes(this.#received.indexOf("\n") + 1);
    return line.replace(/\r?\n$/, "");
  }

  /** Waits for the server to close the connection and returns what came until then. */
  async readToEnd(): Promise<string> {
    await this.#until(() => this.#closed, "the end of the connection");
    const rest = this.#received.toString("latin1");
    this.#received = Buffer.alloc(0);
    return rest;
  }

  /** Bytes that have come and are not read yet. */
  get unread(): string {
    return this.#received.toString("latin1");
  }

  /** Stops or resumes taking bytes from the socket, as a slow reader does. */
  pauseReading(pause: boolean): void {
    if (pause === this.#paused) return;
    this.#paused = pause;
    if (pause) this.#socket?.pause();
    else this.#socket?.resume();
  }

  /** Closes the sending side only. */
  endSending(): void {
    this.#socket?.shutdown();
  }

  /** Closes the connection. */
  close(): void {
    this.#closed = true;
    this.#socket?.end();
    this.#wake?.();
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#received, chunk]);
    this.#wake?.();
  }

  #end(): void {
    this.#closed = true;
    this.#wake?.();
  }

  #flush(): void {
    if (this.#unsent.length === 0 || this.#socket === null || this.#closed) return;
    const sent = this.#socket.write(this.#unsent);
    if (sent > 0) this.#unsent = this.#unsent.subarray(sent);
  }

  async #readFrame(): Promise<{ reply: Reply; raw: string }> {
    let tried = -1;
    let found = parseReply(this.#received, 0);
    const complete = () => {
      if (found === null && tried !== this.#received.length) found = parseReply(this.#received, 0);
      tried = this.#received.length;
      return found !== null;
    };
    await this.#until(complete, "a reply");
    const raw = this.#received.toString("latin1", 0, found!.end);
    this.#received = this.#received.subarray(found!.end);
    return { reply: found!.reply, raw };
  }

  async #until(done: () => boolean, what: string): Promise<void> {
    const deadlineMs = performance.now() + READ_LIMIT_MS;
    while (!done()) {
      const got = () => `; received ${JSON.stringify(this.unread.slice(0, 400))}`;
      if (this.#closed) throw new Error(`connection closed while waiting for ${what}${got()}`);
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) throw new Error(`no ${what} within ${READ_LIMIT_MS} ms${got()}`);
      let timer: ReturnType<typeof setTimeout> | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, leftMs);
      });
      clearTimeout(timer);
      this.#wake = null;
    }
  }
}
