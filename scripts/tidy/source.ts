// Source text prepared for checks: the same text with comments, strings and regular expressions blanked out.
// Invariant: every derived text has the length and the line breaks of the original, so an offset means the same in all.

/** A file of the project as the checks see it. */
export interface SourceFile {
  /** Path from the project root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** `text` without comments; strings are kept. */
  readonly uncommented: string;
  /** `text` without comments and without the insides of strings, templates and regular expressions. */
  readonly code: string;
}

/** Prepares a file for the checks. */
export function sourceFile(path: string, text: string): SourceFile {
  const uncommented = text.split("");
  const code = text.split("");
  blank(text, uncommented, code);
  return { path, text, uncommented: uncommented.join(""), code: code.join("") };
}

/** Line number, from 1, of an offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let i = 0; i < offset; i++) if (text.charCodeAt(i) === 10) line++;
  return line;
}

function erase(out: string[], from: number, to: number): void {
  for (let i = from; i < to; i++) if (out[i] !== "\n") out[i] = " ";
}

/** End of a quoted string that opens at `start`; the offset after its closing quote. */
function stringEnd(text: string, start: number): number {
  const quote = text[start];
  let i = start + 1;
  while (i < text.length && text[i] !== quote && text[i] !== "\n") i += text[i] === "\\" ? 2 : 1;
  return Math.min(i + 1, text.length);
}

/** End of a regular expression that opens at `start`, flags included, or -1 when the line ends first. */
function regexEnd(text: string, start: number): number {
  let inClass = false;
  for (let i = start + 1; i < text.length && text[i] !== "\n"; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === "[") inClass = true;
    else if (text[i] === "]") inClass = false;
    else if (text[i] === "/" && !inClass) {
      i++;
      while (/[a-z]/.test(text[i] ?? "")) i++;
      return i;
    }
  }
  return -1;
}

/** Whether a slash after this text starts a regular expression (and is no division). */
function regexMayFollow(before: string): boolean {
  const trimmed = before.trimEnd();
  if (trimmed === "") return true;
  if (/[\w$)\]}"'`]$/.test(trimmed))
    return /(^|[^\w$.])(return|typeof|case|in|of|do|else|void|await|yield)$/.test(trimmed);
  return true;
}

function blank(text: string, uncommented: string[], code: string[]): void {
  const braces: ("block" | "template")[] = [];
  let i = 0;
  const template = (from: number): number => {
    let j = from;
    while (j < text.length && text[j] !== "`" && !(text[j] === "$" && text[j + 1] === "{"))
      j += text[j] === "\\" ? 2 : 1;
    erase(code, from, Math.min(j, text.length));
    if (text[j] !== "$") return j + 1;
    braces.push("template");
    return j + 2;
  };
  while (i < text.length) {
    const c = text[i];
    if (c === "/" && (text[i + 1] === "/" || text[i + 1] === "*")) {
      const found = text[i + 1] === "/" ? text.indexOf("\n", i) : text.indexOf("*/", i + 2);
      const end = found < 0 ? text.length : text[i + 1] === "/" ? found : found + 2;
      erase(uncommented, i, end);
      erase(code, i, end);
      i = end;
    } else if (c === '"' || c === "'") {
      const end = stringEnd(text, i);
      erase(code, i + 1, end - 1);
      i = end;
    } else if (c === "`") {
      i = template(i + 1);
    } else if (c === "{") {
      braces.push("block");
      i++;
    } else if (c === "}") {
      i = braces.pop() === "template" ? template(i + 1) : i + 1;
    } else if (c === "/" && regexMayFollow(code.slice(Math.max(0, i - 40), i).join(""))) {
      const end = regexEnd(text, i);
      if (end > 0) erase(code, i + 1, end - 1);
      i = end > 0 ? end : i + 1;
    } else i++;
  }
}
