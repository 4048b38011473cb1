/** RESP2 and RESP3 replies as values, their parser, and the text form that redis-cli gives them. */

/** A parsed reply. Byte strings are latin1 strings. */
export type Reply =
  | { kind: "status" | "error" | "bulk" | "double" | "bignum" | "verbatim"; text: string }
  | { kind: "integer"; value: bigint }
  | { kind: "boolean"; value: boolean }
  | { kind: "nil" | "nil-array" | "nil3" }
  | { kind: "array" | "set" | "push" | "map" | "attribute"; items: Reply[] };

/** Parses all replies in the bytes; throws when they end in the middle of one. */
export function parseReplies(bytes: Uint8Array): Reply[] {
  const text = Buffer.from(bytes).toString("latin1");
  const replies: Reply[] = [];
  let at = 0;
  while (at < text.length) {
    const parsed = parseReply(text, at);
    if (parsed === null) throw new Error(`incomplete reply: ${JSON.stringify(text.slice(at, at + 200))}`);
    replies.push(parsed.reply);
    at = parsed.end;
  }
  return replies;
}

/** Parses one reply of a latin1 text at a position; null when it is not complete. Map items alternate keys and values. */
export function parseReply(text: string, at: number): { reply: Reply; end: number } | null {
  const eol = text.indexOf("\r\n", at);
  if (eol < 0) return null;
  const type = text[at];
  const line = text.slice(at + 1, eol);
  const next = eol + 2;
  switch (type) {
    case "+":
      return { reply: { kind: "status", text: line }, end: next };
    case "-":
      return { reply: { kind: "error", text: line }, end: next };
    case ":":
      return { reply: { kind: "integer", value: BigInt(line) }, end: next };
    case ",":
      return { reply: { kind: "double", text: line }, end: next };
    case "(":
      return { reply: { kind: "bignum", text: line }, end: next };
    case "#":
      return { reply: { kind: "boolean", value: line === "t" }, end: next };
    case "_":
      return { reply: { kind: "nil3" }, end: next };
    case "$":
    case "=": {
      const length = Number(line);
      if (length < 0) return { reply: { kind: "nil" }, end: next };
      if (text.length < next + length + 2) return null;
      const body = text.slice(next, next + length);
      return { reply: { kind: type === "$" ? "bulk" : "verbatim", text: body }, end: next + length + 2 };
    }
    case "*":
    case "~":
    case ">":
    case "%":
    case "|": {
      let count = Number(line);
      if (count < 0) return { reply: { kind: "nil-array" }, end: next };
      if (type === "%" || type === "|") count *= 2;
      const items: Reply[] = [];
      let p = next;
      for (let i = 0; i < count; i++) {
        const item = parseReply(text, p);
        if (item === null) return null;
        items.push(item.reply);
        p = item.end;
      }
      const kind = ({ "*": "array", "~": "set", ">": "push", "%": "map", "|": "attribute" } as const)[type];
      return { reply: { kind, items }, end: p };
    }
    default:
      throw new Error(`not a reply: ${JSON.stringify(text.slice(at, at + 100))}`);
  }
}

/** As redis-cli prints a reply, without quotes: `(nil)`, `(integer) 1`, `(error) ERR ...`, `1) a`. */
export function formatReply(reply: Reply, indent = ""): string {
  switch (reply.kind) {
    case "status":
    case "bulk":
    case "verbatim":
      return reply.text;
    case "error":
      return `(error) ${reply.text}`;
    case "integer":
      return `(integer) ${reply.value}`;
    case "double":
      return `(double) ${reply.text}`;
    case "bignum":
      return `(big number) ${reply.text}`;
    case "boolean":
      return `(${reply.value})`;
    case "nil":
    case "nil-array":
    case "nil3":
      return "(nil)";
    case "map":
    case "attribute": {
      const lines: string[] = [];
      for (let i = 0; i < reply.items.length; i += 2) {
        lines.push(
          `${indent}${i / 2 + 1}# ${formatReply(reply.items[i])} => ${formatReply(reply.items[i + 1], `${indent}  `)}`,
        );
      }
      return lines.length === 0 ? "(empty map)" : lines.join("\n");
    }
    default: {
      if (reply.items.length === 0) return reply.kind === "set" ? "(empty set)" : "(empty array)";
      const mark = reply.kind === "set" ? "~" : ")";
      return reply.items.map((item, i) => `${indent}${i + 1}${mark} ${formatReply(item, `${indent}   `)}`).join("\n");
    }
  }
}
