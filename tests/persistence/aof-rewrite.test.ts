// The life of a log in a server: its files from the start on, rewrites that succeed and fail, switching on and off. Who writes bases is the test itself.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BaseFormat } from "../../src/persistence/aof/aof-log.ts";
import type { BaseEnd, BaseWriter } from "../../src/persistence/aof/aof-rewrite.ts";
import { AppendOnly } from "../../src/persistence/aof/append-only.ts";
import { Loading } from "../../src/persistence/loading.ts";
import { encodeCommand } from "../support/client.ts";
import { type TestClient, type TestServer, testServer } from "../support/engine.ts";
import { collectLog, rewritten } from "./aof-support.ts";
import { pictureOf } from "./digest-format.ts";

const PID = 4711;
const TEMPORARY = "temp-rewriteaof-bg-4711.aof";
const SIGKILL = 9;

/** Writes bases as commands, when the test says so. */
class TestBases implements BaseWriter {
  isSaving = false;
  killed = 0;
  /** Answers the next start with this error. */
  refusal: string | null = null;
  readonly #server: TestServer;
  #done: ((end: BaseEnd, path: string) => void) | null = null;

  constructor(server: TestServer) {
    this.#server = server;
  }

  writeNow(path: string): string | null {
    writeFileSync(path, rewritten(this.#server.engine));
    return null;
  }

  start(_format: BaseFormat, begin: () => boolean, done: (end: BaseEnd, path: string) => void): number | string {
    if (this.refusal !== null) return this.refusal;
    if (!begin()) return PID;
    writeFileSync(TEMPORARY, rewritten(this.#server.engine));
    this.#done = done;
    return PID;
  }

  /** The child process ends. */
  end(end: BaseEnd = { status: 0 }): void {
    const done = this.#done;
    this.#done = null;
    done?.(end, TEMPORARY);
  }

  kill(): number {
    this.killed++;
    this.#done = null;
    rmSync(TEMPORARY, { force: true });
    return PID;
  }
}

let folder: string;
let before: string;
let server: TestServer;
let client: TestClient;
let bases: TestBases;
let log: AppendOnly;
let lines: string[];

beforeEach(() => {
  before = process.cwd();
  folder = mkdtempSync(join(tmpdir(), "aof-rewrite-"));
  process.chdir(folder);
  make();
});
afterEach(() => {
  log.log.switchOff();
  process.chdir(before);
  rmSync(folder, { recursive: true, force: true });
});

/** A server whose process has just begun. */
function make(): void {
  server = testServer();
  const { engine } = server;
  engine.config.assign("aof-use-rdb-preamble", "no");
  engine.config.assign("auto-aof-rewrite-percentage", "0");
  lines = collectLog(engine);
  bases = new TestBases(server);
  log = new AppendOnly({
    engine,
    loading: new Loading(engine),
    openSnapshot: () => {
      throw new Error("there are no snapshots here");
    },
    base: bases,
    exit: () => {
      throw new Error("exit");
    },
  });
  client = server.connect();
}

/** Starts a server that has its log switched on; whether that succeeds. */
async function start(): Promise<boolean> {
  expect(server.engine.config.assign("appendonly", "yes")).toBeNull();
  return log.readManifest() && (await new Promise<boolean>((resolve) => log.startUp(resolve)));
}

/** The same process again, after the old one is gone. */
async function restart(): Promise<boolean> {
  log.log.switchOff();
  make();
  return await start();
}

function manifest(): string[] {
  return readFileSync("appendonlydir/appendonly.aof.manifest", "latin1").trim().split("\n");
}

/** Files of the log that are there, but for the manifest. */
function files(): string[] {
  return readdirSync("appendonlydir")
    .filter((name) => !name.endsWith("manifest"))
    .sort();
}

function info(field: string): string {
  return (
    new RegExp(`^${field}:(.*)`, "m").exec(Buffer.from(client.raw("INFO", "persistence")).toString())?.[1]?.trim() ?? ""
  );
}

function set(key: string, value: string | number): void {
  expect(client.line(`SET ${key} ${value}`)).toBe("OK");
  server.engine.commit();
}

describe("the start", () => {
  test("with nothing: a base, an increment, a manifest", async () => {
    expect(await start()).toBe(true);
    expect(manifest()).toEqual([
      "file appendonly.aof.1.base.aof seq 1 type b",
      "file appendonly.aof.1.incr.aof seq 1 type i",
    ]);
    expect(info("aof_enabled")).toBe("1");
    set("a", 1);
    expect(await restart()).toBe(true);
    expect(client.line("GET a")).toBe("1");
    expect(lines).toContain("Opening AOF incr file appendonly.aof.1.incr.aof on server start");
    set("b", 2);
    expect(await restart()).toBe(true);
    expect(Buffer.from(client.raw("INFO", "commandstats")).toString(), "loading is no client").not.toContain(
      "cmdstat_set",
    );
    expect(server.engine.dirty, "a snapshot lacks what the log has").toBe(2);
    expect(client.line("MGET a b")).toContain("2");
  });

  test("with the single file of an old server", async () => {
    writeFileSync("appendonly.aof", encodeCommand(["SET", "old", "1"]));
    expect(await start()).toBe(true);
    expect(client.line("GET old")).toBe("1");
    expect(existsSync("appendonly.aof")).toBe(false);
    expect(manifest()).toEqual(["file appendonly.aof seq 1 type b", "file appendonly.aof.1.incr.aof seq 1 type i"]);
    expect(lines).toContain(
      "Successfully migrated an old-style AOF file (appendonly.aof) into the AOF directory (appendonlydir).",
    );
  });

  test("with an upgrade that was interrupted", async () => {
    writeFileSync("appendonly.aof", encodeCommand(["SET", "old", "1"]));
    mkdirSync("appendonlydir");
    writeFileSync("appendonlydir/appendonly.aof.manifest", "file appendonly.aof seq 1 type b\n");
    expect(await start()).toBe(true);
    expect(client.line("GET old")).toBe("1");
    expect(existsSync("appendonly.aof")).toBe(false);
  });

  test("with an old file beside a log: the log counts", async () => {
    expect(await start()).toBe(true);
    set("new", 1);
    writeFileSync("appendonly.aof", encodeCommand(["SET", "old", "1"]));
    expect(await restart()).toBe(true);
    expect(client.line("EXISTS old new")).toBe("(integer) 1");
    expect(existsSync("appendonly.aof")).toBe(true);
  });

  test("with a file missing, or a bad manifest: none", async () => {
    expect(await start()).toBe(true);
    log.log.switchOff();
    rmSync("appendonlydir/appendonly.aof.1.incr.aof");
    expect(await restart()).toBe(false);
    expect(lines).toEqual([
      "Unable to obtain the AOF file appendonly.aof.1.incr.aof length. stat: No such file or directory",
    ]);
    writeFileSync("appendonlydir/appendonly.aof.manifest", "!!!\n");
    expect(await restart()).toBe(false);
    expect(lines).toContain("Invalid AOF manifest file format\n");
  });

  test("with a file before the last that was cut off: none, and nothing is taken from it", async () => {
    mkdirSync("appendonlydir");
    const cut = encodeCommand(["SET", "a", "1"]).subarray(0, -3);
    writeFileSync("appendonlydir/one.aof", cut);
    writeFileSync("appendonlydir/two.aof", encodeCommand(["SET", "b", "1"]));
    writeFileSync("appendonlydir/appendonly.aof.manifest", "file one.aof seq 1 type i\nfile two.aof seq 2 type i\n");
    expect(await start()).toBe(false);
    expect(lines).toContain("Fatal error: the truncated file is not the last file");
    expect(readFileSync("appendonlydir/one.aof").equals(cut)).toBe(true);
  });

  test("with a last file that was cut off: what follows is appended behind the cut", async () => {
    expect(await start()).toBe(true);
    set("a", 1);
    log.log.switchOff();
    writeFileSync("appendonlydir/appendonly.aof.1.incr.aof", "*3\r\n$3\r\nSE", { flag: "a" });
    expect(await restart()).toBe(true);
    set("b", 2);
    expect(await restart()).toBe(true);
    expect(client.line("EXISTS a b")).toBe("(integer) 2");
    expect(lines.some((line) => line.includes("Truncating"))).toBe(false);
  });
});

describe("a rewrite", () => {
  test("replaces all that was written before it", async () => {
    await start();
    set("a", 1);
    expect(client.line("BGREWRITEAOF")).toBe("Background append only file rewriting started");
    expect(info("aof_rewrite_in_progress")).toBe("1");
    expect(client.line("BGREWRITEAOF")).toContain("ERR Background append only file rewriting already in progress");
    set("b", 2);
    expect(manifest().length, "both increments are there until the base is").toBe(3);
    bases.end();
    expect(manifest()).toEqual([
      "file appendonly.aof.2.base.aof seq 2 type b",
      "file appendonly.aof.2.incr.aof seq 2 type i",
    ]);
    expect(files()).toEqual(["appendonly.aof.2.base.aof", "appendonly.aof.2.incr.aof"]);
    expect(info("aof_last_bgrewrite_status")).toBe("ok");
    expect(Number(info("aof_current_size"))).toBe(Number(info("aof_base_size")));
    const picture = pictureOf(server.engine.keyspace);
    expect(await restart()).toBe(true);
    expect(pictureOf(server.engine.keyspace)).toEqual(picture);
  });

  test("that fails leaves a log of several increments, which another one clears away", async () => {
    await start();
    for (let i = 1; i <= 2; i++) {
      set("a", i);
      client.send("BGREWRITEAOF");
      bases.end({ signal: SIGKILL });
      expect(info("aof_last_bgrewrite_status")).toBe("err");
      expect(info("aof_rewrites_consecutive_failures")).toBe(String(i));
      expect(lines.at(-1)).toBe("Background AOF rewrite terminated by signal 9");
    }
    set("b", 1);
    expect(manifest().length).toBe(4);
    expect(existsSync(TEMPORARY)).toBe(false);
    expect(await restart()).toBe(true);
    expect(client.line("MGET a b")).toBe("1) 2\n2) 1");
    client.send("BGREWRITEAOF");
    bases.end();
    expect(manifest()).toEqual([
      "file appendonly.aof.2.base.aof seq 2 type b",
      "file appendonly.aof.4.incr.aof seq 4 type i",
    ]);
  });

  test("without a log makes a base, and no increment", async () => {
    set("a", 1);
    expect(client.line("BGREWRITEAOF")).toContain("started");
    bases.end();
    expect(manifest()).toEqual(["file appendonly.aof.1.base.aof seq 1 type b"]);
  });

  test("waits for a snapshot that is being saved, and for a transaction", async () => {
    await start();
    bases.isSaving = true;
    expect(client.line("BGREWRITEAOF")).toBe("Background append only file rewriting scheduled");
    expect(info("aof_rewrite_scheduled")).toBe("1");
    log.cron();
    expect(info("aof_rewrite_in_progress")).toBe("0");
    bases.isSaving = false;
    log.cron();
    expect(info("aof_rewrite_scheduled")).toBe("0");
    expect(info("aof_rewrite_in_progress")).toBe("1");
    bases.end();
    client.send("MULTI");
    client.send("BGREWRITEAOF");
    expect(client.line("EXEC")).toContain("scheduled");
    log.cron();
    expect(info("aof_rewrite_in_progress")).toBe("1");
    bases.end();
  });

  test("that cannot begin says so, and the log goes on", async () => {
    await start();
    bases.refusal = "Resource temporarily unavailable";
    expect(client.line("BGREWRITEAOF")).toContain("ERR Can't execute an AOF background rewriting");
    expect(lines.at(-1)).toBe("Can't rewrite append only file in background: fork: Resource temporarily unavailable");
    set("a", 1);
    expect(await restart()).toBe(true);
    expect(client.line("GET a")).toBe("1");
  });

  test("begins by itself when the log has grown, and not while it keeps failing", async () => {
    await start();
    for (const [name, value] of [
      ["auto-aof-rewrite-percentage", "100"],
      ["auto-aof-rewrite-min-size", "100"],
    ] as const)
      client.send("CONFIG", "SET", name, value);
    log.cron();
    expect(info("aof_rewrite_in_progress")).toBe("0");
    set("a", "x".repeat(200));
    log.cron();
    expect(lines.some((line) => /^Starting automatic rewriting of AOF on \d+% growth$/.test(line))).toBe(true);
    bases.end();
    log.cron();
    expect(info("aof_rewrite_in_progress"), "it has not grown since").toBe("0");
    set("a", "y".repeat(1000));
    for (let i = 0; i < 3; i++) {
      log.cron();
      expect(info("aof_rewrite_in_progress")).toBe("1");
      bases.end({ status: 1 });
    }
    log.cron();
    expect(info("aof_rewrite_in_progress")).toBe("0");
    expect(lines.at(-1)).toContain("has repeatedly failed and triggered the limit, will retry in 1 minutes");
    server.advance(59_000);
    log.cron();
    expect(info("aof_rewrite_in_progress")).toBe("0");
    server.advance(1000);
    log.cron();
    expect(info("aof_rewrite_in_progress")).toBe("1");
    bases.end({ status: 1 });
    log.cron();
    expect(lines.at(-1)).toContain("will retry in 2 minutes");
    expect(client.line("BGREWRITEAOF"), "by hand at once").toContain("started");
    bases.end();
    expect(info("aof_rewrites_consecutive_failures")).toBe("0");
  });

  test("keeps what it has replaced when it is told to", async () => {
    await start();
    client.send("CONFIG", "SET", "aof-disable-auto-gc", "yes");
    client.send("BGREWRITEAOF");
    bases.end();
    expect(manifest()).toEqual([
      "file appendonly.aof.2.base.aof seq 2 type b",
      "file appendonly.aof.1.incr.aof seq 1 type h",
      "file appendonly.aof.1.base.aof seq 1 type h",
      "file appendonly.aof.2.incr.aof seq 2 type i",
    ]);
    expect(files().length).toBe(4);
    client.send("CONFIG", "SET", "aof-disable-auto-gc", "no");
    expect(manifest().length).toBe(2);
    expect(files().length).toBe(2);
  });
});

describe("switched on while the server runs", () => {
  const on = () => client.line("CONFIG SET appendonly yes");
  const off = () => client.line("CONFIG SET appendonly no");

  test("collects changes beside the base, and becomes a log when that is there", async () => {
    set("a", 1);
    expect(on()).toBe("OK");
    expect(info("aof_enabled")).toBe("1");
    set("b", 2);
    expect(existsSync("appendonlydir/appendonly.aof.manifest")).toBe(false);
    expect(files()).toEqual(["temp-appendonly.aof.incr"]);
    bases.end();
    set("c", 3);
    expect(manifest()).toEqual([
      "file appendonly.aof.1.base.aof seq 1 type b",
      "file appendonly.aof.1.incr.aof seq 1 type i",
    ]);
    expect(await restart()).toBe(true);
    expect(client.line("MGET a b c")).toBe("1) 1\n2) 2\n3) 3");
  });

  test("tries again when the base fails, from a new beginning", async () => {
    set("n", 1);
    on();
    client.send("INCR", "n");
    server.engine.commit();
    bases.end({ signal: SIGKILL });
    expect(lines).toContain("Removing the temp incr aof file temp-appendonly.aof.incr in the background");
    expect(info("aof_rewrite_scheduled")).toBe("1");
    client.send("INCR", "n");
    server.engine.commit();
    log.cron();
    client.send("INCR", "n");
    server.engine.commit();
    bases.end();
    expect(await restart()).toBe(true);
    expect(client.line("GET n"), "each change once").toBe("4");
  });

  test("while a snapshot is saved begins later", async () => {
    bases.isSaving = true;
    expect(on()).toBe("OK");
    expect(lines.some((line) => line.includes("there is already another background operation"))).toBe(true);
    set("a", 1);
    bases.isSaving = false;
    log.cron();
    expect(info("aof_rewrite_in_progress")).toBe("1");
    bases.end();
    expect(await restart()).toBe(true);
    expect(client.line("GET a")).toBe("1");
  });

  test("in place of a rewrite that has no log beside it", () => {
    client.send("BGREWRITEAOF");
    expect(on()).toBe("OK");
    expect(bases.killed).toBe(1);
    expect(lines).toContain(
      "AOF was enabled but there is already an AOF rewriting in background. Stopping background AOF and starting a rewrite now.",
    );
    bases.end();
    expect(log.log.state).toBe("on");
  });

  test("and off again: its files stay, a rewrite is stopped", async () => {
    on();
    bases.end();
    set("a", 1);
    client.send("BGREWRITEAOF");
    expect(off()).toBe("OK");
    expect(bases.killed).toBe(1);
    expect(lines.some((line) => line.startsWith("Killing running AOF rewrite child"))).toBe(true);
    expect(info("aof_enabled")).toBe("0");
    expect(info("aof_current_size"), "not shown").toBe("");
    set("b", 2);
    expect(server.engine.holdsReplies).toBe(false);
    expect(manifest().length).toBe(3);
    expect(on()).toBe("OK");
    bases.end();
    expect(manifest()).toEqual([
      "file appendonly.aof.2.base.aof seq 2 type b",
      "file appendonly.aof.3.incr.aof seq 3 type i",
    ]);
    expect(await restart()).toBe(true);
    expect(client.line("EXISTS a b")).toBe("(integer) 2");
  });

  test("and off before the base is there", async () => {
    on();
    expect(off()).toBe("OK");
    expect(files()).toEqual([]);
    expect(info("aof_rewrite_in_progress")).toBe("0");
    set("a", 1);
  });

  test("within a transaction, and off, and on", () => {
    client.send("MULTI");
    client.send("CONFIG", "SET", "appendonly", "yes");
    client.send("CONFIG", "SET", "appendonly", "no");
    client.send("EXEC");
    expect(log.log.state).toBe("off");
    expect(info("aof_rewrite_scheduled")).toBe("0");
    on();
    bases.end();
    client.send("MULTI");
    client.send("CONFIG", "SET", "appendonly", "no");
    client.send("CONFIG", "SET", "appendonly", "yes");
    client.send("EXEC");
    expect(log.log.state).toBe("waiting");
    log.cron();
    bases.end();
    expect(log.log.state).toBe("on");
  });

  test("while the data set is replaced there is no log; then there is another one", async () => {
    client.send("CONFIG", "SET", "appendonly", "yes");
    bases.end();
    set("a", 1);
    log.suspend();
    expect(log.isEnabled).toBe(false);
    client.send("FLUSHALL");
    client.send("SET", "b", 1);
    expect(log.restart()).toBe(true);
    bases.end();
    set("c", 1);
    expect(await restart()).toBe(true);
    expect(client.line("MGET a b c")).toBe("1) (nil)\n2) 1\n3) 1");
    client.send("CONFIG", "SET", "appendonly", "no");
    log.suspend();
    expect(log.restart()).toBe(true);
    expect(log.isEnabled, "only where the setting says so").toBe(false);
  });

  test("where it cannot be: refused, and the setting is as before", () => {
    writeFileSync("appendonlydir", "no directory");
    expect(on()).toBe(
      "(error) ERR CONFIG SET failed (possibly related to argument 'appendonly') - Unable to turn on AOF. Check server logs.",
    );
    expect(client.line("CONFIG GET appendonly")).toContain("no");
    expect(log.log.state).toBe("off");
    set("a", 1);
  });
});

describe("DEBUG LOADAOF", () => {
  function reload(): Promise<boolean> {
    return new Promise((resolve) => log.reload(false, resolve));
  }

  test("writes out, empties, loads", async () => {
    await start();
    set("a", 1);
    client.send("SET", "b", 2);
    const picture = pictureOf(server.engine.keyspace);
    expect(await reload()).toBe(true);
    expect(pictureOf(server.engine.keyspace)).toEqual(picture);
    expect(server.engine.dirty).toBe(0);
    set("c", 3);
    expect(await restart()).toBe(true);
    expect(client.line("EXISTS a b c")).toBe("(integer) 3");
  });

  test("tells others to wait meanwhile", async () => {
    await start();
    for (let i = 0; i < 20_000; i++) client.send("SET", `k${i}`, i);
    server.engine.commit();
    const other = server.connect();
    const loading = reload();
    expect(other.line("GET k1")).toBe("(error) LOADING Redis is loading the dataset in memory");
    expect(info("loading")).toBe("1");
    expect(await loading).toBe(true);
    expect(other.line("GET k1")).toBe("1");
    expect(other.line("DBSIZE")).toBe("(integer) 20000");
  });

  test("at once, for those who cannot wait", async () => {
    await start();
    set("a", 1);
    let result: boolean | null = null;
    log.reload(true, (ok) => {
      result = ok;
    });
    expect(result as boolean | null).toBe(true);
    expect(client.line("GET a")).toBe("1");
  });

  test("with the log switched off: what it has left; a new one counts its increments from the beginning", async () => {
    await start();
    set("a", 1);
    client.send("CONFIG", "SET", "appendonly", "no");
    set("b", 1);
    client.send("BGREWRITEAOF");
    bases.end();
    set("c", 1);
    expect(await reload()).toBe(true);
    expect(client.line("EXISTS a b c")).toBe("(integer) 2");
    client.send("CONFIG", "SET", "appendonly", "yes");
    bases.end();
    expect(manifest()).toEqual([
      "file appendonly.aof.3.base.aof seq 3 type b",
      "file appendonly.aof.1.incr.aof seq 1 type i",
    ]);
  });

  test("fails when there is no log", async () => {
    expect(await reload()).toBe(false);
  });

  test("fails when a file is damaged", async () => {
    await start();
    set("a", 1);
    writeFileSync("appendonlydir/appendonly.aof.1.incr.aof", "junk", { flag: "a" });
    expect(await reload()).toBe(false);
  });
});

test("the end of a server: what is buffered is written; not before a first base is there, unless by force", async () => {
  const options = { save: null, now: false, force: false, safe: false };
  await start();
  client.send("SET", "a", 1);
  expect(log.shutdown(options)).toBe(true);
  expect(readFileSync("appendonlydir/appendonly.aof.1.incr.aof", "latin1")).toContain("SET");
  client.send("CONFIG", "SET", "appendonly", "no");
  client.send("CONFIG", "SET", "appendonly", "yes");
  expect(log.shutdown(options)).toBe(false);
  expect(lines.at(-1)).toBe("Writing initial AOF, can't exit.");
  expect(log.shutdown({ ...options, force: true })).toBe(true);
});
