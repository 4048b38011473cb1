/**
 * One line of redis.conf as arguments, and back. The rules are those of Redis' config files, inline commands and command line:
 *
 *   word      characters up to white space
 *   "text"    escapes \n \r \t \b \a \xHH; a backslash before any other character stands for that character
 *   'text'    one escape: \'
 *
 * A quote may open in the middle of a word, but what follows a closing quote must be white space or the end.
 */

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", a: "\x07" };
const QUOTED: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  '"': '\\"',
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\x07": "\\a",
  "\b": "\\b",
};

const TAB = 9;
const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const DOUBLE_QUOTE = 34;
const SINGLE_QUOTE = 39;
const BACKSLASH = 92;
const TILDE = 126;

function isSpace(code: number): boolean {
  return code === SPACE || (code >= TAB && code <= RETURN);
}

/** What ends a word outside quotes: narrower than white space, since Redis lets a vertical tab or a form feed be part of a word. */
function endsWord(code: number): boolean {
  return code === SPACE || code === TAB || code === NEWLINE || code === RETURN;
}

const HEX_ESCAPE = /^\\x([0-9a-fA-F]{2})/;

/** Result of reading a quoted part: what it stands for, and where the text goes on; null when the quotes are not balanced. */
interface Quoted {
  readonly text: string;
  readonly end: number;
}

function readQuoted(line: string, start: number): Quoted | null {
  const quote = line[start];
  let text = "";
  let i = start + 1;
  while (i < line.length) {
    const char = line[i];
    if (char === quote) {
      return i + 1 < line.length && !isSpace(line.charCodeAt(i + 1)) ? null : { text, end: i + 1 };
    }
    if (char !== "\\" || i + 1 >= line.length) {
      text += char;
      i++;
      continue;
    }
    const next = line[i + 1];
    if (quote === "'") {
      text += next === "'" ? "'" : "\\";
      i += next === "'" ? 2 : 1;
      continue;
    }
    const hex = HEX_ESCAPE.exec(line.slice(i, i + 4));
    text += hex !== null ? String.fromCharCode(Number.parseInt(hex[1], 16)) : (ESCAPES[next] ?? next);
    i += hex !== null ? 4 : 2;
  }
  return null;
}

/** Splits a line into arguments; null when quotes are not balanced. An empty line gives no arguments. */
export function splitArguments(line: string): string[] | null {
  const args: string[] = [];
  let i = 0;
  for (;;) {
    while (i < line.length && isSpace(line.charCodeAt(i))) i++;
    if (i >= line.length) return args;
    const start = i;
    let code = line.charCodeAt(i);
    while (i < line.length && !endsWord(code) && code !== DOUBLE_QUOTE && code !== SINGLE_QUOTE)
      code = line.charCodeAt(++i);
    let word = line.slice(start, i);
    if (code === DOUBLE_QUOTE || code === SINGLE_QUOTE) {
      const quoted = readQuoted(line, i);
      if (quoted === null) return null;
      word += quoted.text;
      i = quoted.end;
    }
    args.push(word);
  }
}

function needsNoEscape(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < SPACE || code > TILDE || code === DOUBLE_QUOTE || code === BACKSLASH) return false;
  }
  return true;
}

/** A double-quoted form that `splitArguments` reads back as `text`. */
export function quoteArgument(text: string): string {
  if (needsNoEscape(text)) return `"${text}"`;
  let quoted = '"';
  for (const char of text) {
    const escaped = QUOTED[char];
    if (escaped !== undefined) quoted += escaped;
    else if (char >= " " && char <= "~") quoted += char;
    else quoted += `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
  }
  return quoted + '"';
}

/** Removes spaces, tabs, carriage returns and newlines from both ends. */
export function trimLine(line: string): string {
  let start = 0;
  let end = line.length;
  while (start < end && endsWord(line.charCodeAt(start))) start++;
  while (start < end && endsWord(line.charCodeAt(end - 1))) end--;
  return line.slice(start, end);
}

/** The arguments of a setting that takes several, out of a CONFIG SET value: split at single spaces; "" is none. */
export function splitAtSpaces(value: string): string[] {
  return value === "" ? [] : value.split(" ");
}
