// Compiles the server to one native executable.
// usage: build [--all | --target NAME ...] [--out FOLDER] [--bytecode | --no-bytecode]
//
// Without options: dist/redis-ts for this machine. With targets: dist/redis-ts-<target> for each, and SHA256SUMS beside
// them. The compiled server reads neither .env nor bunfig.toml: it is started inside other people's folders.

import {
  chmodSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { setAllocatorDefault } from "./lib/allocator-default.ts";
import { mainChunk, makeChunks } from "./lib/chunks.ts";
import { BINARY, DIST, type Finished, fail, pinnedBun, runQuietly, say, seconds } from "./lib/project.ts";

/** What each release is built for: our name for it and Bun's. */
const TARGETS: Readonly<Record<string, string>> = {
  "linux-x64": "bun-linux-x64",
  "linux-arm64": "bun-linux-arm64",
  "linux-x64-musl": "bun-linux-x64-musl",
  "linux-arm64-musl": "bun-linux-arm64-musl",
  "macos-x64": "bun-darwin-x64",
  "macos-arm64": "bun-darwin-arm64",
  "windows-x64": "bun-windows-x64",
  "windows-arm64": "bun-windows-arm64",
};

/**
 * Whether bytecode is the default. From the start of the process to a listening socket (25 runs, medians, x64): 34 ms
 * plain, 31 ms with the code split into parts loaded on demand, 28 ms with bytecode, 26 ms with both, where an empty
 * program takes 17 ms. It makes the file 2 % larger. Bytecode is not portable: an executable for another system, processor
 * or C library that carries ours crashes when it starts, so a target that is not this machine's goes without.
 */
const BYTECODE_PAYS = true;

/**
 * How many times more often than usual code must run before it is compiled to machine code, until the server is up and sets this back to 1. Code of a
 * start runs once: compiling it took a fifth of the start's time, for nothing.
 */
const START_JIT_POLICY = 100;

/**
 * Options of the allocator that the executables have another default of.
 *
 * purge_delay: milliseconds until freed memory goes back to the system. The collector runs once a second: what it frees is what the next second's input is
 * read into. Given back after a tenth of a second, it comes again page fault by page fault.
 */
const ALLOCATOR_DEFAULTS: Readonly<Record<string, number>> = { purge_delay: 2500 };
const ALLOCATOR_TARGETS = ["linux-x64", "linux-x64-musl"];

const MEBIBYTE = 1024 * 1024;

/** Name of the target that this machine is. */
function hostTarget(): string {
  const system = { darwin: "macos", win32: "windows" }[process.platform as string] ?? process.platform;
  const isMusl = process.platform === "linux" && globSync("/lib/ld-musl-*").length > 0;
  return `${system}-${process.arch}${isMusl ? "-musl" : ""}`;
}

interface Options {
  readonly targets: readonly string[];
  readonly outDir: string;
  readonly bytecode: boolean;
}

function parseOptions(args: readonly string[]): Options {
  const targets: string[] = [];
  let outDir = DIST;
  let bytecode = BYTECODE_PAYS;
  for (let i = 0; i < args.length; i++) {
    const option = args[i]!;
    if (option === "--all") targets.push(...Object.keys(TARGETS));
    else if (option === "--bytecode") bytecode = true;
    else if (option === "--no-bytecode") bytecode = false;
    else if (option === "--target" && TARGETS[args[i + 1] ?? ""] !== undefined) targets.push(args[++i]!);
    else if (option === "--out" && args[i + 1] !== undefined) outDir = resolve(args[++i]!);
    else fail(`usage: build [--all | --target ${Object.keys(TARGETS).join("|")} ...] [--out FOLDER] [--[no-]bytecode]`);
  }
  return { targets, outDir, bytecode };
}

function setAllocatorDefaults(executable: string): void {
  for (const [option, value] of Object.entries(ALLOCATOR_DEFAULTS))
    if (!setAllocatorDefault(executable, option, value))
      fail(`${basename(executable)}: the runtime's allocator has no option ${option} where it was`);
}

/** Leaves with the message of a compiler that failed. */
function expectDone(what: string, done: Finished): void {
  if (done.exitCode !== 0) fail(`${done.output.trimEnd()}\nbuilding ${what} failed`);
}

/** Compiles into a scratch folder and renames: a failed build leaves the old file, and a running one is not overwritten. */
async function compile(outFile: string, target: string | null, bytecode: boolean): Promise<void> {
  const what = basename(outFile);
  const scratch = join(dirname(outFile), `.building-${process.pid}`);
  // Within the project, where the sources' packages are found.
  const sources = join(DIST, `.sources-${process.pid}`);
  const chunks = join(scratch, "chunks");
  const scratchFile = join(scratch, what);
  const options = ["--compile", "--minify", "--splitting", `--compile-jit-policy=${START_JIT_POLICY}`];
  options.push("--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig");
  if (bytecode) options.push("--bytecode", "--format=esm");
  if (target !== null) options.push(`--target=${TARGETS[target]}`);
  mkdirSync(scratch, { recursive: true });
  try {
    const made = await makeChunks(sources, chunks);
    expectDone(what, made);
    options.push(`--outfile=${scratchFile}`, mainChunk(chunks));
    const done = await runQuietly([pinnedBun(), "build", ...options]);
    expectDone(what, done);
    if (ALLOCATOR_TARGETS.includes(target ?? hostTarget())) setAllocatorDefaults(scratchFile);
    chmodSync(scratchFile, 0o755);
    renameSync(scratchFile, outFile);
    const size = statSync(outFile).size / MEBIBYTE;
    say(`${outFile}  ${size.toFixed(0)} MiB in ${seconds(made.elapsedMs + done.elapsedMs)}`);
  } finally {
    for (const folder of [scratch, sources]) rmSync(folder, { recursive: true, force: true });
  }
}

/** Lists the executables of a folder with their checksums, in the format of sha256sum. */
function writeChecksums(outDir: string): void {
  const names = readdirSync(outDir).filter((name) => /^redis-ts(?:-[a-z0-9-]+)?(?:\.exe)?$/.test(name));
  const lines = names.sort().map((name) => {
    const digest = new Bun.CryptoHasher("sha256").update(readFileSync(join(outDir, name))).digest("hex");
    return `${digest}  ${name}\n`;
  });
  writeFileSync(join(outDir, "SHA256SUMS"), lines.join(""));
}

const options = parseOptions(process.argv.slice(2));
mkdirSync(options.outDir, { recursive: true });
rmSync(join(options.outDir, "SHA256SUMS"), { force: true });
if (options.targets.length === 0) await compile(join(options.outDir, basename(BINARY)), null, options.bytecode);
for (const target of options.targets) {
  const extension = target.startsWith("windows") ? ".exe" : "";
  await compile(
    join(options.outDir, `redis-ts-${target}${extension}`),
    target,
    options.bytecode && target === hostTarget(),
  );
}
writeChecksums(options.outDir);
