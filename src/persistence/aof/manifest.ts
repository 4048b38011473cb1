/**
 * The manifest of a multi-part append-only file: which files make up the log, in the order in which they are loaded. A line a file:
 *
 *   file appendonly.aof.2.base.rdb seq 2 type b      the data set as of the last rewrite; at most one
 *   file appendonly.aof.1.incr.aof seq 1 type h      history: replaced by a rewrite, to be deleted
 *   file appendonly.aof.4.incr.aof seq 4 type i      commands since then, oldest first; the last one is being written
 *
 * Pairs of a keyword and a value, split like lines of redis.conf; unknown keywords are skipped, `#` begins a comment line. Names are latin1 strings.
 *
 * Invariant: the sequence numbers of incremental files grow; the next file of a kind gets a number that no file of that kind had before.
 */
import { quoteArgument, splitArguments, trimLine } from "../../config/line.ts";

/** The letter that a manifest has for a kind of file. */
export const FileType = { Base: "b", History: "h", Incremental: "i" } as const;

/** One file of the log. */
export interface LogFile {
  readonly name: string;
  readonly sequence: number;
}

/** Why a manifest cannot be used: the reason and, when a line is at fault, which one. */
export class ManifestError extends Error {
  /** 1 for the first line; 0 when it is not about a line. */
  readonly lineNumber: number;
  readonly line: string;

  constructor(message: string, lineNumber = 0, line = "") {
    super(message);
    this.lineNumber = lineNumber;
    this.line = line;
  }

  /** The lines that a server writes to its log before it ends. */
  logLines(): string[] {
    const lines = ["\n*** FATAL AOF MANIFEST FILE ERROR ***\n"];
    if (this.lineNumber > 0)
      lines.push(`Reading the manifest file, at line ${this.lineNumber}\n`, `>>> '${this.line}'\n`);
    lines.push(`${this.message}\n`);
    return lines;
  }
}

/** Bytes of a line, its end included. */
const LINE_MAX = 1024;
/** Pairs that a line must have: name, sequence number, type. */
const WORDS_MIN = 6;
const BAD_FORMAT = "Invalid AOF manifest file format";

/** The files of a log. */
export class Manifest {
  base: LogFile | null = null;
  history: LogFile[] = [];
  incremental: LogFile[] = [];
  /** Differs from what is on disk. */
  changed = false;
  #baseSequence = 0;
  #incrementalSequence = 0;

  /** A copy to change: the original stays what it is until the copy has reached the disk. */
  copy(): Manifest {
    const copy = new Manifest();
    copy.base = this.base;
    copy.history = [...this.history];
    copy.incremental = [...this.incremental];
    copy.changed = this.changed;
    copy.#baseSequence = this.#baseSequence;
    copy.#incrementalSequence = this.#incrementalSequence;
    return copy;
  }

  /** Is there nothing to load? */
  get isEmpty(): boolean {
    return this.base === null && this.incremental.length === 0;
  }

  /** All that is to be loaded, in order. */
  get files(): LogFile[] {
    return this.base === null ? this.incremental : [this.base, ...this.incremental];
  }

  /** Gives the log a new base file, `stem` being the setting appendfilename; the old one becomes history. Returns its name. */
  addBase(stem: string, format: "rdb" | "aof"): string {
    if (this.base !== null) this.history.unshift(this.base);
    const sequence = ++this.#baseSequence;
    this.base = { name: `${stem}.${sequence}.base.${format}`, sequence };
    this.changed = true;
    return this.base.name;
  }

  /** Takes a file of an old server, which had but one, as the base. */
  adoptBase(name: string): void {
    this.base = { name, sequence: 1 };
    this.#baseSequence = 1;
    this.changed = true;
  }

  /** Adds an incremental file and returns its name. */
  addIncremental(stem: string): string {
    const sequence = ++this.#incrementalSequence;
    const name = `${stem}.${sequence}.incr.aof`;
    this.incremental.push({ name, sequence });
    this.changed = true;
    return name;
  }

  /** A rewrite has replaced the incremental files, except, when `keepLast`, the one that is being written. */
  retireIncremental(keepLast: boolean): void {
    if (this.incremental.length === 0) return;
    const kept = keepLast ? this.incremental.slice(-1) : [];
    this.history.unshift(...this.incremental.slice(0, this.incremental.length - kept.length));
    this.incremental = kept;
    this.changed = true;
  }

  /** Forgets history, whose files are being deleted. */
  forgetHistory(): void {
    this.history = [];
    this.changed = true;
  }

  /** The text of the file. */
  format(): string {
    let text = "";
    const add = (files: readonly LogFile[], type: string) => {
      for (const { name, sequence } of files) text += `file ${quoteIfNeeded(name)} seq ${sequence} type ${type}\n`;
    };
    if (this.base !== null) add([this.base], FileType.Base);
    add(this.history, FileType.History);
    add(this.incremental, FileType.Incremental);
    return text;
  }

  /** Reads the text of a file; throws a ManifestError. */
  static parse(text: string): Manifest {
    if (text === "") throw new ManifestError("Found an empty AOF manifest");
    const manifest = new Manifest();
    let lineNumber = 0;
    for (let at = 0; at < text.length; ) {
      lineNumber++;
      const newline = text.indexOf("\n", at);
      const end = Math.min(newline < 0 ? text.length : newline + 1, at + LINE_MAX);
      const raw = text.slice(at, end);
      at = end;
      if (raw.startsWith("#")) continue;
      if (!raw.endsWith("\n")) throw new ManifestError("The AOF manifest file contains too long line");
      manifest.#addLine(trimLine(raw), lineNumber);
    }
    return manifest;
  }

  #addLine(line: string, lineNumber: number): void {
    const words = line === "" ? null : splitArguments(line);
    if (words === null || words.length < WORDS_MIN || words.length % 2 !== 0)
      throw new ManifestError(BAD_FORMAT, lineNumber, line);
    let name = "";
    let sequence = 0;
    let type = "";
    for (let i = 0; i < words.length; i += 2) {
      const keyword = words[i].toLowerCase();
      if (keyword === "file") name = words[i + 1];
      else if (keyword === "seq") sequence = Number.parseInt(words[i + 1], 10) || 0;
      else if (keyword === "type") type = words[i + 1].slice(0, 1);
      if (/[/\\]/.test(name)) throw new ManifestError("File can't be a path, just a filename", lineNumber, line);
    }
    if (name === "" || sequence === 0 || type === "") throw new ManifestError(BAD_FORMAT, lineNumber, line);
    const problem = this.#addFile({ name, sequence }, type);
    if (problem !== null) throw new ManifestError(problem, lineNumber, line);
  }

  #addFile(file: LogFile, type: string): string | null {
    switch (type) {
      case FileType.Base:
        if (this.base !== null) return "Found duplicate base file information";
        this.base = file;
        this.#baseSequence = file.sequence;
        return null;
      case FileType.History:
        this.history.push(file);
        return null;
      case FileType.Incremental:
        if (file.sequence <= this.#incrementalSequence) return "Found a non-monotonic sequence number";
        this.incremental.push(file);
        this.#incrementalSequence = file.sequence;
        return null;
      default:
        return "Unknown AOF file type";
    }
  }
}

/** Names with white space, quotes, backslashes or unprintable bytes are written in quotes. */
function quoteIfNeeded(name: string): string {
  return /^[!#-&(-[\]-~]+$/.test(name) ? name : quoteArgument(name);
}
