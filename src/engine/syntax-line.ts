/** Splits a syntax line (see syntax.ts) into its words and signs. */

/** A word or sign of a syntax line. */
export type Lexeme =
  | {
      kind: "argument";
      text: string;
      type: string;
      /** Text in parentheses, or null. */
      display: string | null;
      /** Number behind `#`, or -1. */
      keySpec: number;
    }
  /** `text` is the token, the name without "=", or the versions without "@". */
  | { kind: "token"; text: string }
  | { kind: "name="; text: string }
  | { kind: "@"; text: string }
  | { kind: "<" }
  | { kind: "[" }
  | { kind: "|" }
  | { kind: "end" }
  | { kind: ">" }
  | { kind: "]" }
  | { kind: "..." };

/** Lexemes that carry a text alone. */
type TextKind = "token" | "name=" | "@";

const NAME_BEFORE = /([a-z][a-z0-9_-]*)=(?=\S)/y;
const ARGUMENT = /([a-z][a-z0-9_-]*)(?::([a-z-]+))?(?:#(\d+))?(?![A-Z])(?:\(([^)]*)\))?/y;
const TOKEN = /[A-Z][A-Z0-9_-]*(?![A-Za-z])|(?<![a-z0-9])[=~*$+-]/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const SINCE = /@([\d.]+(?:-[\d.]+)?|-[\d.]+)/y;
const SIGN = /\.\.\.|[<>[\]|]/y;

/** Reads a line lexeme by lexeme. */
export class LineReader {
  readonly #line: string;
  #at = 0;
  #next: Lexeme;

  constructor(line: string) {
    this.#line = line;
    this.#next = this.#read();
  }

  /** The lexeme that take() will return. */
  peek(): Lexeme {
    return this.#next;
  }

  /** Takes the next lexeme; at the end, "end" again and again. */
  take(): Lexeme {
    const lexeme = this.#next;
    this.#next = this.#read();
    return lexeme;
  }

  /** Takes the next lexeme when it is of the kind; null otherwise. */
  takeIf<K extends Lexeme["kind"]>(kind: K): Extract<Lexeme, { kind: K }> | null {
    if (this.#next.kind !== kind) return null;
    return this.take() as Extract<Lexeme, { kind: K }>;
  }

  /** Throws with the line and about where reading stopped. */
  fail(what: string): never {
    throw new Error(`syntax line: ${what}: ${this.#line.slice(0, this.#at)} >>>${this.#line.slice(this.#at)}`);
  }

  #read(): Lexeme {
    while (this.#line[this.#at] === " ") this.#at++;
    if (this.#at === this.#line.length) return { kind: "end" };
    return (
      this.#readText("name=", NAME_BEFORE) ??
      this.#readArgument() ??
      this.#readSign() ??
      this.#readText("@", SINCE) ??
      this.#readQuoted() ??
      this.#readText("token", TOKEN) ??
      this.fail("not a word")
    );
  }

  #readText(kind: TextKind, pattern: RegExp): Lexeme | null {
    const match = this.#match(pattern);
    return match === null ? null : { kind, text: match[1] ?? match[0] };
  }

  #readArgument(): Lexeme | null {
    const match = this.#match(ARGUMENT);
    if (match === null) return null;
    const [, text, type = "string", keySpec = "-1", display = null] = match;
    return { kind: "argument", text, type, display, keySpec: Number(keySpec) };
  }

  #readSign(): Lexeme | null {
    const match = this.#match(SIGN);
    return match && { kind: match[0] as "<" | ">" | "[" | "]" | "|" | "..." };
  }

  #readQuoted(): Lexeme | null {
    const match = this.#match(QUOTED);
    return match && { kind: "token", text: match[1].replace(/\\(.)/g, "$1") };
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#line);
    if (match !== null) this.#at = pattern.lastIndex;
    return match;
  }
}
