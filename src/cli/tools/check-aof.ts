/**
 * check-aof: tells whether an append-only file is good, and cuts off what is not.
 *
 *   check-aof FILE                                    a manifest, or a single file as old servers wrote it
 *   check-aof --fix FILE                              ... removes an incomplete tail, after a question
 *   check-aof --truncate-to-timestamp SECONDS FILE    ... removes everything behind a time, if the server has written times into the log
 *
 * Output and status are redis-check-aof's.
 */
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync } from "node:fs";
import { dirname } from "node:path";
import { isTerminal } from "../../base/system-calls.ts";
import { fromBinary, toBinary } from "../../config/binary.ts";
import { errnoText } from "../../config/errno.ts";
import type { Personality } from "../../config/personality.ts";
import { readManifestFile } from "../../persistence/aof/aof-directory.ts";
import { type Manifest, ManifestError } from "../../persistence/aof/manifest.ts";
import { checkRdb } from "../../persistence/rdb/rdb-check.ts";
import { STDERR_FD, type Terminal, writeText } from "../terminal.ts";
import { scanAof } from "./check-aof-scan.ts";
import { answerQuestion, type ToolCall, usageLine } from "./tool-call.ts";

/** How a file was found. */
type FileState = "valid" | "empty" | "truncated" | "truncated to time";

/** Ends the check: what there is to say has been said. */
class Aborted extends Error {}

const SNAPSHOT_MARK = "REDIS";
const STDIN_FD = 0;
const USAGE = "[--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>";
/** Where the first line of a manifest that is no comment stands at the latest. */
const MANIFEST_HEAD_BYTES = 64 * 1024;

interface Options {
  readonly path: string;
  readonly fix: boolean;
  /** Seconds; null: no such wish. */
  readonly toTime: number | null;
}

/** Runs the tool; the status to end with. */
export function runCheckAof(call: ToolCall): number {
  const { personality, terminal } = call;
  if (answerQuestion(call, USAGE)) return 0;
  try {
    new AofCheck(readOptions(call), personality, terminal).run();
    return 0;
  } catch (error) {
    if (!(error instanceof Aborted)) throw error;
    terminal.out(error.message);
    return 1;
  }
}

function readOptions(call: ToolCall): Options {
  const { args } = call;
  const path = args.at(-1);
  if (args.length === 1 && path !== undefined) return { path, fix: false, toTime: null };
  if (args.length === 2 && path !== undefined && args[0] === "--fix") return { path, fix: true, toTime: null };
  if (args.length === 3 && path !== undefined && args[0] === "--truncate-to-timestamp") {
    if (!/^-?\d{1,15}$/.test(args[1])) throw new Aborted("Invalid timestamp, aborting...\n");
    return { path, fix: false, toTime: Number(args[1]) };
  }
  throw new Aborted(usageLine(call, USAGE));
}

class AofCheck {
  readonly #options: Options;
  readonly #personality: Personality;
  readonly #terminal: Terminal;
  readonly #showsProgress = isTerminal(STDERR_FD);

  constructor(options: Options, personality: Personality, terminal: Terminal) {
    this.#personality = personality;
    this.#options = options;
    this.#terminal = terminal;
  }

  run(): void {
    const { path } = this.#options;
    if (isManifest(path)) {
      this.#checkAll();
      return;
    }
    this.#say("Start checking Old-Style AOF\n");
    this.#report(this.#checkFile(path, path, true, beginsWithSnapshot(path)), path, "AOF");
  }

  #say(text: string): void {
    this.#terminal.out(text);
  }

  #checkAll(): void {
    const { path } = this.#options;
    const folder = dirname(path);
    this.#say("Start checking Multi Part AOF\n");
    const manifest = this.#readManifest();
    const last = manifest.files.at(-1);
    if (manifest.base !== null) {
      const name = fromBinary(manifest.base.name);
      const file = `${folder}/${name}`;
      const hasSnapshot = beginsWithSnapshot(file);
      this.#say(`Start to check BASE AOF (${hasSnapshot ? "RDB" : "RESP"} format).\n`);
      this.#report(this.#checkFile(name, file, manifest.base === last, hasSnapshot), name, "BASE AOF");
    }
    if (manifest.incremental.length > 0) this.#say("Start to check INCR files.\n");
    for (const increment of manifest.incremental) {
      const name = fromBinary(increment.name);
      this.#report(this.#checkFile(name, `${folder}/${name}`, increment === last, false), name, "INCR AOF");
    }
    this.#say("All AOF files and manifest are valid\n");
  }

  #readManifest(): Manifest {
    try {
      return readManifestFile(toBinary(this.#options.path));
    } catch (error) {
      if (!(error instanceof ManifestError)) throw error;
      throw new Aborted(`${error.logLines().join("\n")}`);
    }
  }

  #report(state: FileState, name: string, kind: string): void {
    switch (state) {
      case "valid":
        this.#say(`${kind} ${name} is valid\n`);
        return;
      case "empty":
        this.#say(`${kind} ${name} is empty\n`);
        return;
      case "truncated":
        this.#say(`Successfully truncated AOF ${name}\n`);
        return;
      default:
        this.#say(`Successfully truncated AOF ${name} to timestamp ${this.#options.toTime}\n`);
    }
  }

  #checkFile(name: string, path: string, isLast: boolean, hasSnapshot: boolean): FileState {
    let fd: number;
    try {
      fd = openSync(path, "r+");
    } catch (error) {
      throw new Aborted(`Cannot open file ${path}: ${errnoText(error)}, aborting...\n`);
    }
    try {
      const { size } = fstatSync(fd);
      if (size === 0) return "empty";
      const start = hasSnapshot ? this.#passSnapshot(fd, path) : 0;
      return this.#checkCommands({ fd, name, path, isLast, size }, start);
    } finally {
      closeSync(fd);
    }
  }

  #passSnapshot(fd: number, path: string): number {
    const end = checkRdb(fd, path, this.#personality.rdbVersionMax, (text) => this.#say(text));
    if (end === null) throw new Aborted("RDB preamble of AOF file is not sane, aborting.\n");
    this.#say("RDB preamble is OK, proceeding with AOF tail...\n");
    return end;
  }

  #checkCommands(file: OpenFile, start: number): FileState {
    const { fd, name, path, size } = file;
    const onAnnotation = (line: string, offset: number) => this.#annotation(file, line, offset);
    const onProgress = (offset: number) => this.#progress(offset, size);
    const { goodBytes, line, error, isForeign, isEnded } = scanAof(fd, path, start, onAnnotation, onProgress);
    if (this.#showsProgress) writeText(STDERR_FD, "\r\x1b[K");
    if (isEnded) return "truncated to time";
    if (isForeign) this.#say(`AOF ${name} format error\n`);
    if (error !== "") this.#say(`${error}\n`);
    const { toTime, fix } = this.#options;
    const excess = size - goodBytes;
    if (excess === 0 && toTime !== null) {
      this.#say(`Truncate nothing in AOF ${name} to timestamp ${toTime}\n`);
      return "valid";
    }
    this.#say(
      `AOF analyzed: filename=${name}, size=${size}, ok_up_to=${goodBytes}, ok_up_to_line=${line}, diff=${excess}\n`,
    );
    if (excess === 0) return "valid";
    if (!fix) throw new Aborted(`AOF ${name} is not valid. Use the --fix option to try fixing it.\n`);
    this.#cut(file, goodBytes);
    return "truncated";
  }

  /** A line that begins with `#`: false when the file was cut there. */
  #annotation(file: OpenFile, line: string, offset: number): boolean {
    const { toTime } = this.#options;
    if (toTime === null || !line.startsWith("#TS:")) return true;
    const [, digits] = /^#TS:(-?\d+)\r/.exec(line) ?? [];
    if (digits === undefined) throw new Aborted("Invalid timestamp annotation\n");
    if (Number(digits) <= toTime) return true;
    const { name, path, isLast } = file;
    if (offset === 0) throw new Aborted(`AOF ${path} has nothing before timestamp ${toTime}, aborting...\n`);
    if (!isLast) {
      throw new Aborted(
        `Failed to truncate AOF ${path} to timestamp ${toTime} to offset ${offset} because it is not the last file.\nIf you insist, please delete all files after this file according to the manifest file and delete the corresponding records in manifest file manually. Then re-run check-aof.\n`,
      );
    }
    this.#truncate(file.fd, offset, `Failed to truncate AOF ${name} to timestamp ${toTime}\n`);
    return false;
  }

  #cut({ fd, name, size, isLast }: OpenFile, goodBytes: number): void {
    if (!isLast) throw new Aborted(`Failed to truncate AOF ${name} because it is not the last file\n`);
    const excess = size - goodBytes;
    this.#say(`This will shrink the AOF ${name} from ${size} bytes, with ${excess} bytes, to ${goodBytes} bytes\n`);
    this.#say("Continue? [y/N]: ");
    if (!readsYes()) throw new Aborted("Aborting...\n");
    this.#truncate(fd, goodBytes, `Failed to truncate AOF ${name}\n`);
  }

  #truncate(fd: number, length: number, failure: string): void {
    try {
      ftruncateSync(fd, length);
      fsyncSync(fd);
    } catch {
      throw new Aborted(failure);
    }
  }

  #progress(offset: number, size: number): void {
    if (this.#showsProgress) writeText(STDERR_FD, `\r${((offset / size) * 100).toFixed(1)}%`);
  }
}

interface OpenFile {
  readonly fd: number;
  readonly name: string;
  readonly path: string;
  readonly isLast: boolean;
  readonly size: number;
}

/** Is the first thing on standard input a yes? */
function readsYes(): boolean {
  const answer = new Uint8Array(1);
  try {
    return readSync(STDIN_FD, answer, 0, 1, null) === 1 && /y/i.test(String.fromCharCode(answer[0]));
  } catch {
    return false;
  }
}

function readHead(path: string, length: number): string {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    throw new Aborted(`Cannot open file ${path}: ${errnoText(error)}\n`);
  }
  try {
    const head = Buffer.alloc(length);
    return head.toString("latin1", 0, readSync(fd, head, 0, length, 0));
  } catch {
    // A folder can be opened.
    throw new Aborted(`Cannot read file: ${path}\n`);
  } finally {
    closeSync(fd);
  }
}

function beginsWithSnapshot(path: string): boolean {
  // A header is longer than its mark.
  const head = readHead(path, 8);
  return head.length === 8 && head.startsWith(SNAPSHOT_MARK);
}

/** Comments, and then a line that begins as a manifest's lines do. */
function isManifest(path: string): boolean {
  for (const line of readHead(path, MANIFEST_HEAD_BYTES).split("\n")) {
    if (line.startsWith("#")) continue;
    return line.startsWith("file");
  }
  return false;
}
