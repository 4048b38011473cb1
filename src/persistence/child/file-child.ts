/**
 * The child process that writes a file for its parent: the same program in a mode of its own. What it gets on standard input is
 *
 *   [length:4, little-endian][bytes] ...  [0:4]
 *
 * and only the zero at the end says that the file is complete: when the parent dies, the input just ends, and the file must not take the place of a good
 * one. Writing, syncing and the checksum are this process's work, so that they cost the parent nothing; and it leaves the processors to the parent.
 *
 * It ends with status 0, or with 1 and a line on standard output that says why.
 */
import { readSync } from "node:fs";
import { getPriority, setPriority } from "node:os";
import { pinThread } from "../../base/cpu-affinity.ts";
import { Crc64 } from "../../base/crc64.ts";
import { writeOomScore } from "../../base/oom-score.ts";
import { errnoCode, errnoText } from "../../config/errno.ts";
import { FILE_STEPS, FileFault, NewFile } from "../disk.ts";
import type { FileOrder } from "./file-order.ts";

/** Bytes of a frame's head. */
export const FRAME_HEAD_BYTES = 4;
const BUFFER_BYTES = 1024 * 1024;
const STDIN_FD = 0;
/** By so much the process is nicer than its parent: where processors are short, it is the server and its clients that shall have them. */
const NICER = 10;
const NICEST = 19;

/** Name of the temporary file of a child. */
export function temporaryName(order: FileOrder, pid: number): string {
  return order.temporary.replace("%", String(pid));
}

/** Reads what there is of standard input; 0 at its end. */
function readInput(into: Uint8Array): number {
  for (;;) {
    try {
      return readSync(STDIN_FD, into, 0, into.length, null);
    } catch (error) {
      if (errnoCode(error) === "EOF") return 0;
      if (errnoCode(error) !== "EAGAIN") throw error;
      Bun.sleepSync(1);
    }
  }
}

/** Takes frames apart. */
class FrameReader {
  readonly #file: NewFile;
  readonly #crc: Crc64 | null;
  /** Bytes of the frame that have not come yet, and bytes of its head that have. */
  #left = 0;
  #headBytes = 0;
  #head = 0;
  /** The frame of no bytes has come. */
  isComplete = false;

  constructor(file: NewFile, crc: Crc64 | null) {
    this.#file = file;
    this.#crc = crc;
  }

  take(bytes: Uint8Array, end: number): void {
    for (let at = 0; at < end && !this.isComplete; ) {
      if (this.#left === 0) {
        this.#head |= bytes[at++] << (8 * this.#headBytes++);
        if (this.#headBytes < FRAME_HEAD_BYTES) continue;
        this.#left = this.#head >>> 0;
        this.#headBytes = 0;
        this.#head = 0;
        if (this.#left === 0) this.isComplete = true;
        continue;
      }
      const count = Math.min(this.#left, end - at);
      this.#crc?.update(bytes, at, count);
      this.#file.write(bytes, at, at + count);
      this.#left -= count;
      at += count;
    }
  }
}

/** A fault as the line that a child says. */
function faultLine(error: unknown): string {
  return error instanceof FileFault ? `${error.step}:${errnoText(error.reason)}` : `write:${errnoText(error)}`;
}

/** The fault that a child has named; null when it has said nothing that can be understood. */
export function faultOfLine(line: string): FileFault | null {
  const colon = line.indexOf(":");
  const step = FILE_STEPS.find((name) => name === line.slice(0, colon));
  return step === undefined ? null : new FileFault(step, new Error(line.slice(colon + 1)));
}

function giveWay(): void {
  try {
    setPriority(Math.min(NICEST, getPriority() + NICER));
  } catch {
    // Then it competes with its parent as any other process does.
  }
}

function setOomScore(score: number): void {
  try {
    writeOomScore(score);
  } catch {
    // The system refuses, or has no such thing: then the child is what its parent is.
  }
}

/** Runs such a process to its end. Returns its status, and the line to write to standard output, if any. */
export function runFileChild(orderText: string): { status: number; line: string } {
  // Whoever stops the server stops this process, too, by way of its parent.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  giveWay();
  const order = JSON.parse(orderText) as FileOrder;
  if (order.processors !== "") pinThread(order.processors);
  if (order.oomScore !== null) setOomScore(order.oomScore);
  let file: NewFile | null = null;
  try {
    file = new NewFile(temporaryName(order, process.pid), order.syncBytes);
    const crc = order.checksum ? new Crc64() : null;
    const frames = new FrameReader(file, crc);
    const buffer = new Uint8Array(BUFFER_BYTES);
    while (!frames.isComplete) {
      const count = readInput(buffer);
      if (count === 0) break;
      frames.take(buffer, count);
    }
    if (!frames.isComplete) {
      file.discard();
      return { status: 1, line: "" };
    }
    if (crc !== null) {
      crc.write(buffer, 0);
      file.write(buffer, 0, 8);
    }
    file.finish(order.name);
    return { status: 0, line: "" };
  } catch (error) {
    file?.discard();
    return { status: 1, line: faultLine(error) };
  }
}
