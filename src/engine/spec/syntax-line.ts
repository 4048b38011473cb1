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

const ARGUMENT = /([a-z][a-z0-9_-]*)(?:(=)(?=\S)|(?::([a-z-]+))?(?:#(\d+))?(?![A-Z])(?:\(([^)]*)\))?)/y;
const TOKEN = /[A-Z][A-Z0-9_-]*(?![A-Za-z])|(?<![a-z0-9])[=~*$+-]/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const SINCE = /@([\d.]+(?:-[\d.]+)?|-[\d.]+)/y;

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

  /** One look at the first character decides what is read: COMMAND DOCS reads hundreds of lines at once. */
  #read(): Lexeme {
    const line = this.#line;
    while (line[this.#at] === " ") this.#at++;
    const first = line[this.#at];
    switch (first) {
      case undefined:
        return { kind: "end" };
      case "<":
      case ">":
      case "[":
      case "]":
      case "|":
        this.#at++;
        return { kind: first };
      case ".":
        if (!line.startsWith("...", this.#at)) return this.fail("not a word");
        this.#at += 3;
        return { kind: "..." };
      case "@":
        return { kind: "@", text: this.#match(SINCE)[1] };
      case '"':
        return { kind: "token", text: this.#match(QUOTED)[1].replace(/\\(.)/g, "$1") };
      default:
        if (first >= "a" && first <= "z") return this.#readArgument();
        return { kind: "token", text: this.#match(TOKEN)[0] };
    }
  }

  #readArgument(): Lexeme {
    const [, text, equals, type = "string", keySpec = "-1", display = null] = this.#match(ARGUMENT);
    if (equals !== undefined) return { kind: "name=", text };
    return { kind: "argument", text, type, display, keySpec: Number(keySpec) };
  }

  #match(pattern: RegExp): RegExpExecArray {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#line);
    if (match === null) return this.fail("not a word");
    this.#at = pattern.lastIndex;
    return match;
  }
}
