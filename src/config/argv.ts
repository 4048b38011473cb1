/**
 * redis-server's command line: `[config-file] [-] [--option value ...]...`. Options become config lines that are read
 * after the file, so that everything a config file can say can be said here, with the same errors. Rules that are not obvious:
 *
 * - The first argument is the config file unless it starts with "-".
 * - "-" as the first or last argument adds standard input.
 * - An option may hold its value: "--port 7000" is one argument. Then the words are not quoted again.
 * - After an option without a value the next argument is its value even when it starts with "--" ("--logfile --odd"), except
 *   for --save and --sentinel, which may stand alone: `--save --port 1` means an empty save.
 * - Any other argument is one more value of the option before it, quoted.
 */
import { quoteArgument, splitArguments, trimLine } from "./line.ts";

/** What the command line asks for. Strings are latin1. */
export type CommandLine =
  | {
      readonly kind: "serve";
      readonly file: string | null;
      readonly stdin: boolean;
      readonly options: string;
      readonly sentinel: boolean;
    }
  | { readonly kind: "version" }
  | { readonly kind: "help" }
  | { readonly kind: "check-system" }
  /** `megabytes` is null when the amount is missing, which is an error to report. */
  | { readonly kind: "test-memory"; readonly megabytes: number | null };

/** Options that may come without a value, and what stands for it. */
const VALUELESS: Readonly<Record<string, string>> = { "--save": '""', "--sentinel": "" };

/**
 * Absolute form of a path by Redis' rules: white space around it is dropped, leading "../" are resolved, the rest is joined as it is.
 */
export function absolutePath(path: string, cwd: string): string {
  let rest = trimLine(path);
  if (rest.startsWith("/")) return rest;
  let base = cwd.endsWith("/") ? cwd : `${cwd}/`;
  while (rest.startsWith("../")) {
    rest = rest.slice(3);
    if (base.length > 1) base = base.slice(0, base.lastIndexOf("/", base.length - 2) + 1);
  }
  return base + rest;
}

function isOption(arg: string): boolean {
  return arg.startsWith("--");
}

/** Turns option arguments into config lines; reports a "-" that stands for standard input. */
function optionLines(args: readonly string[], first: number): { options: string; stdin: boolean } {
  let options = "";
  let stdin = false;
  let expectsValue = false;
  for (let i = first; i < args.length; i++) {
    const arg = args[i];
    if (arg === "-" && (i === 0 || i === args.length - 1)) {
      stdin = true;
    } else if (!expectsValue && isOption(arg)) {
      options += `${options === "" ? "" : "\n"}${arg.slice(2)} `;
      expectsValue = splitArguments(arg)?.length === 1;
      const lone = VALUELESS[arg.toLowerCase()];
      const last = i === args.length - 1;
      if (expectsValue && lone !== undefined && (last || isOption(args[i + 1]))) {
        options += lone;
        expectsValue = false;
      }
    } else {
      options += `${quoteArgument(arg)} `;
      expectsValue = false;
    }
  }
  return { options, stdin };
}

/**
 * Reads the arguments after the program name, as latin1 strings (see binary.ts). `cwd` makes the config file's path absolute:
 * `dir` may move the process before CONFIG REWRITE. `programName` decides about sentinel mode along with --sentinel.
 */
export function parseCommandLine(args: readonly string[], cwd: string, programName: string): CommandLine {
  const first = args[0] ?? "";
  if (first === "-v" || first === "--version") return { kind: "version" };
  if (first === "-h" || first === "--help") return { kind: "help" };
  if (first === "--check-system") return { kind: "check-system" };
  if (first === "--test-memory") {
    return { kind: "test-memory", megabytes: args.length === 2 ? Number.parseInt(args[1], 10) || 0 : null };
  }
  const sentinel =
    programName.includes("redis-sentinel") || programName.includes("valkey-sentinel") || args.includes("--sentinel");
  const hasFile = args.length > 0 && !first.startsWith("-");
  const { options, stdin } = optionLines(args, hasFile ? 1 : 0);
  return { kind: "serve", file: hasFile ? absolutePath(first, cwd) : null, stdin, options, sentinel };
}
