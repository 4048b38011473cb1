// Lengths of files and functions: news for the reader of a test run, not a rule.

import { lineAt, type SourceFile } from "./source.ts";

/** A function and how many lines it spans. */
export interface FunctionLength {
  readonly path: string;
  readonly line: number;
  readonly name: string;
  readonly lineCount: number;
}

const NOT_A_FUNCTION = new Set(["if", "for", "while", "switch", "catch", "with"]);

/** Offset of the bracket that opens the one closing at `close`, or -1. */
function openingParen(code: string, close: number): number {
  let depth = 0;
  for (let i = close; i >= 0; i--) {
    if (code[i] === ")") depth++;
    else if (code[i] === "(" && --depth === 0) return i;
  }
  return -1;
}

/** Name of the function whose body opens at `brace`, or null when another kind of block opens there. */
function functionName(code: string, brace: number): string | null {
  const before = code.slice(Math.max(0, brace - 2000), brace).trimEnd();
  if (before.endsWith("=>")) {
    const named = /([\w$#]+)\s*(?::[^=;{}]+)?=\s*(?:async\s*)?(?:\([^()]*\)|[\w$]+)\s*(?::[^=;{}]+)?=>$/.exec(before);
    return named ? named[1]! : "(arrow)";
  }
  const returnType = /\)\s*(?::\s*[^;={}()]+)?$/.exec(before);
  if (!returnType) return null;
  const open = openingParen(before, returnType.index);
  if (open < 0) return null;
  const name = /([\w$#]+)\s*(?:<[^<>]*>)?\s*$/.exec(before.slice(0, open));
  if (!name) return null;
  return NOT_A_FUNCTION.has(name[1]!) ? null : name[1]!;
}

/** Every function of a file with a body in braces. Found by brace matching: good for a ranking, not for a proof. */
export function functionLengths(file: SourceFile): FunctionLength[] {
  const found: FunctionLength[] = [];
  const stack: { name: string | null; offset: number }[] = [];
  for (let i = 0; i < file.code.length; i++) {
    if (file.code[i] === "{") stack.push({ name: functionName(file.code, i), offset: i });
    else if (file.code[i] === "}") {
      const top = stack.pop();
      if (!top || top.name === null) continue;
      const line = lineAt(file.text, top.offset);
      found.push({ path: file.path, line, name: top.name, lineCount: lineAt(file.text, i) - line + 1 });
    }
  }
  return found;
}

/** The longest files and functions as lines of text. */
export function lengthNews(files: readonly SourceFile[], count: number): string {
  const byLength = files
    .map((f) => ({ path: f.path, lineCount: f.text.split("\n").length - 1 }))
    .sort((a, b) => b.lineCount - a.lineCount);
  const functions = files.flatMap(functionLengths).sort((a, b) => b.lineCount - a.lineCount);
  return [
    "longest files:",
    ...byLength.slice(0, count).map((f) => `  ${String(f.lineCount).padStart(5)}  ${f.path}`),
    "longest functions:",
    ...functions.slice(0, count).map((f) => `  ${String(f.lineCount).padStart(5)}  ${f.name}  ${f.path}:${f.line}`),
  ].join("\n");
}
