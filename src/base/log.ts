/**
 * The server's log: consola with a reporter that writes Redis' lines.
 *
 *     <pid>:<role> <dd Mon yyyy HH:MM:SS.mmm> <mark> <text>
 *     pid=<pid> role=<word> timestamp="<stamp>" level=<word> message="<text>"
 *
 * Invariant: when a call returns, its line is with the operating system. Lines go out with one synchronous write each, at
 * the end of the file, so nothing is lost at exit and a reader of the file sees a line as soon as a client sees the
 * reply that followed it. A log file is opened for every line: it may be moved or truncated from outside at any time.
 */

import type { ConsolaInstance } from "consola/core";
import type { Clock } from "./clock.ts";
import { closeFile, openFile, writeBytes } from "./system-calls.ts";
import { TimeZone } from "./time-zone.ts";

/** Names of the `loglevel` setting. `nothing` silences the log. */
export type LogLevel = "debug" | "verbose" | "notice" | "warning" | "nothing";

/** Who writes: a primary (M), a replica (S), a child that saves (C), a sentinel (X). */
export type LogRole = "M" | "S" | "C" | "X";

/** Names of the `log-format` setting. */
export type LogFormat = "legacy" | "logfmt";

/** Names of the `log-timestamp-format` setting. */
export type LogTimestampFormat = "legacy" | "iso8601" | "milliseconds";

/** What a Logger needs; everything but the clock can be changed later. */
export interface LoggerOptions {
  readonly clock: Clock;
  /** Process id that the lines show. */
  readonly pid?: number;
  readonly level?: LogLevel;
  readonly role?: LogRole;
  /** Path of the log file; empty for standard output. */
  readonly file?: string;
  /** The server is starting: until started() is called, lines do without consola, which takes a third of a millisecond to make. */
  readonly starting?: boolean;
}

/** consola's number for each of our levels: a line is written when its number is not above the threshold. */
const CONSOLA_LEVEL: Readonly<Record<LogLevel, number>> = { nothing: -1, warning: 1, notice: 3, verbose: 4, debug: 5 };

/** The same numbers, looked up by the reporter. */
const LEVEL_OF_NUMBER: Readonly<Record<number, Exclude<LogLevel, "nothing">>> = {
  1: "warning",
  3: "notice",
  4: "verbose",
  5: "debug",
};

/** consola's name for each of our levels. */
const CONSOLA_TYPE = { warning: "warn", notice: "info", verbose: "debug", debug: "trace" } as const;

const LEVEL_MARK = { debug: ".", verbose: "-", notice: "*", warning: "#" } as const;
const LEVEL_WORD = { debug: "debug", verbose: "info", notice: "notice", warning: "warning" } as const;
const ROLE_WORD: Readonly<Record<LogRole, string>> = { M: "primary", S: "replica", C: "RDB/AOF", X: "sentinel" };
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const STDOUT_FD = 1;
const ENCODER = new TextEncoder();
const MINUTE_MS = 60_000;

/** How often a write is tried again while standard output, as a pipe, is full; a millisecond apart. */
const FULL_PIPE_RETRIES_MAX = 2_000;

function pad(value: number, width: number): string {
  return String(value).padStart(width, "0");
}

/** Local time as text. The part down to the minute is kept: the time zone is asked once a minute, not once a line. */
class TimestampWriter {
  readonly #zone: TimeZone;
  #minute = Number.NaN;
  #legacyStart = "";
  #isoStart = "";
  #isoZone = "";

  constructor(zone: TimeZone) {
    this.#zone = zone;
  }

  write(nowMs: number, format: LogTimestampFormat): string {
    if (format === "milliseconds") return String(nowMs);
    const minute = Math.floor(nowMs / MINUTE_MS);
    if (minute !== this.#minute) this.#turn(minute);
    const withinMs = nowMs - minute * MINUTE_MS;
    const tail = `${pad(Math.floor(withinMs / 1000), 2)}.${pad(withinMs % 1000, 3)}`;
    return format === "legacy" ? this.#legacyStart + tail : this.#isoStart + tail + this.#isoZone;
  }

  #turn(minute: number): void {
    this.#minute = minute;
    const eastMs = this.#zone.eastMs(minute * MINUTE_MS);
    // A date whose UTC fields read as local time: asking for local fields would load the runtime's zone database.
    const local = new Date(minute * MINUTE_MS + eastMs);
    const day = pad(local.getUTCDate(), 2);
    const time = `${pad(local.getUTCHours(), 2)}:${pad(local.getUTCMinutes(), 2)}:`;
    this.#legacyStart = `${day} ${MONTHS[local.getUTCMonth()]} ${local.getUTCFullYear()} ${time}`;
    this.#isoStart = `${local.getUTCFullYear()}-${pad(local.getUTCMonth() + 1, 2)}-${day}T${time}`;
    const distance = Math.floor(Math.abs(eastMs) / MINUTE_MS);
    this.#isoZone = `${eastMs < 0 ? "-" : "+"}${pad(Math.floor(distance / 60), 2)}:${pad(distance % 60, 2)}`;
  }
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

/** Writes what can be written now, and returns how many bytes that were: 0 while a pipe is full, -1 when there is no hope. */
function writePart(fd: number, part: Uint8Array): number {
  try {
    return writeBytes(fd, part);
  } catch (error) {
    return errorCode(error) === "EAGAIN" ? 0 : -1;
  }
}

/** Writes all of a text or gives up: a log must never take the server down with it. */
function writeWhole(fd: number, text: string): void {
  // No Buffer: the first one of a process costs a start half a millisecond.
  const bytes = ENCODER.encode(text);
  let sent = 0;
  for (let retries = 0; sent < bytes.length; ) {
    const more = writePart(fd, sent === 0 ? bytes : bytes.subarray(sent));
    if (more < 0 || (more === 0 && retries++ === FULL_PIPE_RETRIES_MAX)) return;
    if (more === 0) Bun.sleepSync(1);
    sent += more;
  }
}

/** A log with its own level, destination and format. */
export class Logger {
  #pid: number;
  #level: LogLevel;
  #role: LogRole;
  #file: string;
  #format: LogFormat = "legacy";
  #timestampFormat: LogTimestampFormat = "legacy";
  readonly #clock: Clock;
  /**
   * Made for the first line, or when the start is over: consola adds properties to arrow functions, and the compiler throws away all code that took for granted
   * that nobody does. In a server that has been busy for a while that is the code of its commands.
   */
  #consola: ConsolaInstance | null = null;
  /** The lines of a start are the reporter's alone. */
  #starting: boolean;
  /** Made for the first line: a silent log reads no zone file. */
  #timestamps: TimestampWriter | null = null;

  constructor(options: LoggerOptions) {
    this.#clock = options.clock;
    this.#pid = options.pid ?? process.pid;
    this.#level = options.level ?? "notice";
    this.#role = options.role ?? "M";
    this.#file = options.file ?? "";
    this.#starting = options.starting ?? false;
  }

  /** The start is over. */
  started(): void {
    this.#starting = false;
    this.#consola ??= this.#newConsola();
  }

  #newConsola(): ConsolaInstance {
    const { createConsola } = require("consola/core") as typeof import("consola/core");
    return createConsola({
      level: CONSOLA_LEVEL[this.#level],
      // consola holds back lines that repeat within this time; a server's log shows every line, clock steps included.
      throttle: Number.NEGATIVE_INFINITY,
      reporters: [
        {
          log: (entry) => this.#report(LEVEL_OF_NUMBER[entry.level]!, String(entry.args[0])),
        },
      ],
    });
  }

  debug(text: string): void {
    this.log("debug", text);
  }

  verbose(text: string): void {
    this.log("verbose", text);
  }

  notice(text: string): void {
    this.log("notice", text);
  }

  warning(text: string): void {
    this.log("warning", text);
  }

  /** Writes a line at a level that is a value. */
  log(level: Exclude<LogLevel, "nothing">, text: string): void {
    if (!this.writes(level)) return;
    if (this.#starting) {
      this.#report(level, text);
      return;
    }
    this.#consola ??= this.#newConsola();
    this.#consola[CONSOLA_TYPE[level]].raw(text);
  }

  /** Writes text exactly as it is, without a stamp, when lines of this level are written: banners and crash reports. */
  raw(level: Exclude<LogLevel, "nothing">, text: string): void {
    if (this.writes(level)) this.#append(text);
  }

  /** Whether a line of this level would be written; asked before composing an expensive text. */
  writes(level: Exclude<LogLevel, "nothing">): boolean {
    return CONSOLA_LEVEL[level] <= CONSOLA_LEVEL[this.#level];
  }

  get level(): LogLevel {
    return this.#level;
  }

  get file(): string {
    return this.#file;
  }

  setLevel(level: LogLevel): void {
    this.#level = level;
    if (this.#consola !== null) this.#consola.level = CONSOLA_LEVEL[level];
  }

  /**
   * Sends the lines that follow to a file, or to standard output when the path is empty.
   * @returns null, or the system's error code (like `EACCES`) when the file cannot be opened; the old destination stays.
   */
  setFile(path: string): string | null {
    if (path !== "") {
      try {
        closeFile(openFile(path, "a"));
      } catch (error) {
        return errorCode(error);
      }
    }
    this.#file = path;
    return null;
  }

  setRole(role: LogRole): void {
    this.#role = role;
  }

  /** For a process that took over the log of its parent. */
  setPid(pid: number): void {
    this.#pid = pid;
  }

  setFormat(format: LogFormat): void {
    this.#format = format;
  }

  setTimestampFormat(format: LogTimestampFormat): void {
    this.#timestampFormat = format;
  }

  #report(level: Exclude<LogLevel, "nothing">, text: string): void {
    this.#append(this.#line(level, text));
  }

  #line(level: Exclude<LogLevel, "nothing">, text: string): string {
    this.#timestamps ??= new TimestampWriter(new TimeZone(process.env.TZ));
    const stamp = this.#timestamps.write(this.#clock.nowMs(), this.#timestampFormat);
    if (this.#format === "legacy") return `${this.#pid}:${this.#role} ${stamp} ${LEVEL_MARK[level]} ${text}\n`;
    const message = text.replaceAll('"', "'").replace(/[\r\n]/g, " ");
    const head = `pid=${this.#pid} role=${ROLE_WORD[this.#role]} timestamp="${stamp}" level=${LEVEL_WORD[level]}`;
    return `${head} message="${message}"\n`;
  }

  #append(text: string): void {
    if (this.#file === "") {
      writeWhole(STDOUT_FD, text);
      return;
    }
    let fd: number;
    try {
      fd = openFile(this.#file, "a");
    } catch {
      // The folder may be gone for a moment while logs are rotated; the server goes on without this line.
      return;
    }
    writeWhole(fd, text);
    closeFile(fd);
  }
}
