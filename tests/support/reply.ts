// RESP2 and RESP3 replies as JavaScript values, for tests. Written apart from src/resp, so that an error there is not
// repeated here. Bytes are characters 0..255.

/** An error reply; `message` is the whole text, code included. */
export class ReplyError {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

/** An out-of-band push of RESP3. */
export class Push {
  readonly items: readonly Reply[];
  constructor(items: readonly Reply[]) {
    this.items = items;
  }
}

/** A parsed reply. Integers beyond 2^53 and big numbers are bigint; a map is a Map, a set a Set. */
export type Reply =
  | string
  | number
  | bigint
  | boolean
  | null
  | ReplyError
  | Push
  | Reply[]
  | Map<Reply, Reply>
  | Set<Reply>;

/** A reply and the offset after it. */
export interface Parsed {
  readonly reply: Reply;
  readonly end: number;
}

function lineEnd(bytes: Buffer, start: number): number {
  return bytes.indexOf("\r\n", start);
}

function parseMany(bytes: Buffer, start: number, count: number): { items: Reply[]; end: number } | null {
  const items: Reply[] = [];
  let end = start;
  while (items.length < count) {
    const item = parseReply(bytes, end);
    if (item === null) return null;
    items.push(item.reply);
    end = item.end;
  }
  return { items, end };
}

function integer(text: string): number | bigint {
  if (!/^[+-]?\d+$/.test(text)) throw new Error(`bad integer in a reply: ${JSON.stringify(text)}`);
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

function double(text: string): number {
  if (text === "inf") return Number.POSITIVE_INFINITY;
  if (text === "-inf") return Number.NEGATIVE_INFINITY;
  if (text === "nan") return Number.NaN;
  if (text.trim() === "" || Number.isNaN(Number(text)))
    throw new Error(`bad double in a reply: ${JSON.stringify(text)}`);
  return Number(text);
}

function parseBulk(bytes: Buffer, start: number, length: number): Parsed | null {
  if (length < 0) return { reply: null, end: start };
  if (bytes.length < start + length + 2) return null;
  if (bytes.toString("latin1", start + length, start + length + 2) !== "\r\n")
    throw new Error("a bulk reply lacks its line end");
  return { reply: bytes.toString("latin1", start, start + length), end: start + length + 2 };
}

function parseAggregate(bytes: Buffer, kind: string, start: number, length: number): Parsed | null {
  if (length < 0) return { reply: null, end: start };
  const found = parseMany(bytes, start, kind === "%" || kind === "|" ? length * 2 : length);
  if (found === null) return null;
  const { items, end } = found;
  if (kind === "*") return { reply: items, end };
  if (kind === "~") return { reply: new Set(items), end };
  if (kind === ">") return { reply: new Push(items), end };
  // Attributes stand before the reply they belong to; tests that care for them read the raw bytes.
  if (kind === "|") return parseReply(bytes, end);
  const map = new Map<Reply, Reply>();
  for (let i = 0; i < items.length; i += 2) map.set(items[i]!, items[i + 1]!);
  return { reply: map, end };
}

/**
 * Parses one reply at `start`; null when it is not complete yet.
 * @throws Error on bytes that are no reply
 */
export function parseReply(bytes: Buffer, start: number): Parsed | null {
  if (start >= bytes.length) return null;
  const newline = lineEnd(bytes, start);
  if (newline < 0) return null;
  const kind = String.fromCharCode(bytes[start]!);
  const line = bytes.toString("latin1", start + 1, newline);
  const end = newline + 2;
  switch (kind) {
    case "+":
      return { reply: line, end };
    case "-":
      return { reply: new ReplyError(line), end };
    case ":":
      return { reply: integer(line), end };
    case "_":
      return { reply: null, end };
    case ",":
      return { reply: double(line), end };
    case "#":
      return { reply: line === "t", end };
    case "(":
      return { reply: BigInt(line), end };
    case "$":
      return parseBulk(bytes, end, Number(integer(line)));
    case "!": {
      const text = parseBulk(bytes, end, Number(integer(line)));
      return text && { reply: new ReplyError(String(text.reply)), end: text.end };
    }
    case "=": {
      const text = parseBulk(bytes, end, Number(integer(line)));
      return text && { reply: String(text.reply).slice(4), end: text.end };
    }
    case "*":
    case "~":
    case "%":
    case ">":
    case "|":
      return parseAggregate(bytes, kind, end, Number(integer(line)));
    default:
      throw new Error(`no reply starts with ${JSON.stringify(kind + line)}`);
  }
}
