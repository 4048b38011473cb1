// Our command table against that of a live redis-server 7.0: COMMAND INFO and COMMAND DOCS of every command that both have, and the replies of COMMAND's
// subcommands byte for byte.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Argument, parseSyntax } from "../../src/engine/spec/syntax.ts";
import { printSyntax } from "../engine/syntax-printer.ts";
import type { RespClient } from "../support/client.ts";
import { type TestClient, testServer } from "../support/engine.ts";
import { describeOracle, startOracle } from "../support/oracle.ts";
import type { RunningServer } from "../support/process.ts";
import { startServer } from "../support/server.ts";
import { parseReplies, type Reply } from "../support/transcript-reply.ts";
import { DIFFERENCES } from "./command-differences.ts";
import {
  compareMetadata,
  docsShape,
  flattened,
  type Metadata,
  readArguments,
  readMetadata,
  summaryOf,
  withoutNotes,
} from "./command-metadata.ts";

/** Replies of one server as a RESP2 or RESP3 client gets them. */
type Ask = (...args: string[]) => Promise<Reply>;

function askOurs(client: TestClient): Ask {
  return async (...args) => client.send(...args);
}

function askTheirs(client: RespClient): Ask {
  return async (...args) => parseReplies(Buffer.from(await client.callRaw(...args), "latin1"))[0];
}

function everyGroupHasTwo(tree: readonly Argument[]): boolean {
  return tree.every((node) => {
    const isGroup = node.type === "oneof" || node.type === "block";
    return (!isGroup || node.arguments.length > 1) && everyGroupHasTwo(node.arguments);
  });
}

/** Replies that have to be equal to the byte in both protocols. */
const SAME = [
  "COMMAND COUNT x",
  "COMMAND NOSUCH",
  "COMMAND HELP x",
  "COMMAND INFO nosuch",
  "COMMAND INFO nosuch get command|nosuch get|x nosuch|nosuch",
  "COMMAND DOCS nosuch",
  "COMMAND DOCS command|nosuch",
  "COMMAND LIST nosuch",
  "COMMAND LIST FILTERBY",
  "COMMAND LIST FILTERBY MODULE",
  "COMMAND LIST FILTERBY MODULE nosuch",
  "COMMAND LIST FILTERBY ACLCAT nosuch",
  "COMMAND LIST FILTERBY NOSUCH x",
  "COMMAND LIST FILTERBY PATTERN nosuch*",
  "command list filterby pattern GETDE?",
  "COMMAND LIST FILTERBY PATTERN get FILTERBY PATTERN get",
  "COMMAND GETKEYS",
  "COMMAND GETKEYS nosuch x",
  "COMMAND GETKEYS get a",
  "COMMAND GETKEYS GET a b",
  "COMMAND GETKEYS ping x",
  "COMMAND GETKEYS command count",
  "COMMAND GETKEYS command nosuch",
  "COMMAND GETKEYS mget a b c",
  "COMMAND GETKEYS mset a 1 b 2",
  "COMMAND GETKEYS mset a 1 b",
  "COMMAND GETKEYS set k v",
  "COMMAND GETKEYS lcs a b LEN",
  "COMMAND GETKEYS migrate h 1 k 0 1 AUTH keys",
  "COMMAND GETKEYS migrate h 1 k 0 1 COPY KEYS a b",
  "COMMAND GETKEYSANDFLAGS",
  "COMMAND GETKEYSANDFLAGS nosuch x",
  "COMMAND GETKEYSANDFLAGS get a",
  "COMMAND GETKEYSANDFLAGS getdel a",
  "COMMAND GETKEYSANDFLAGS mset a 1 b 2",
  "COMMAND GETKEYSANDFLAGS set k v",
  "COMMAND GETKEYSANDFLAGS set k v GET",
  "COMMAND GETKEYSANDFLAGS set k v EX 10 gEt",
  "COMMAND GETKEYSANDFLAGS lcs a b",
  "TIME x",
];

describeOracle("command metadata", () => {
  let oracle: RunningServer;
  const pairs: { protocol: number; ours: Ask; theirs: Ask }[] = [];
  let ours: Map<string, Metadata>;
  let theirs: Map<string, Metadata>;
  /** Commands without a difference in any field. */
  let alike: string[];

  beforeAll(async () => {
    oracle = await startOracle();
    const server = testServer();
    for (const protocol of [2, 3]) {
      const mine = server.connect();
      mine.client.resp = protocol;
      const client = await oracle.connect();
      if (protocol === 3) await client.must("HELLO", 3);
      pairs.push({ protocol, ours: askOurs(mine), theirs: askTheirs(client) });
    }
    const [, resp3] = pairs;
    ours = readMetadata(await resp3.ours("COMMAND"), await resp3.ours("COMMAND", "DOCS"));
    theirs = readMetadata(await resp3.theirs("COMMAND"), await resp3.theirs("COMMAND", "DOCS"));
    alike = [...ours.keys()].filter((name) => {
      const their = theirs.get(name);
      return their !== undefined && compareMetadata(ours.get(name) as Metadata, their).size === 0;
    });
  });
  afterAll(() => oracle.stop());

  test("every command that both have is described alike", () => {
    const problems: string[] = [];
    const told = new Set<string>();
    for (const [name, metadata] of ours) {
      const theirMetadata = theirs.get(name);
      if (theirMetadata === undefined) continue;
      for (const [field, difference] of compareMetadata(metadata, theirMetadata)) {
        const key = `${name} ${field}`;
        told.add(key);
        if (!DIFFERENCES.has(key)) problems.push(`${key}\n    ${difference}`);
      }
    }
    for (const key of DIFFERENCES.keys())
      if (ours.has(key.split(" ")[0]) && !told.has(key)) problems.push(`${key}: listed as different, but equal`);
    expect(problems.join("\n")).toBe("");
  });

  test("every argument tree of redis-server can be written as a syntax line", async () => {
    const docs = await pairs[1].theirs("COMMAND", "DOCS");
    let count = 0;
    for (const tree of readArguments(docs)) {
      // Some groups of 7.0 have a single member. Later versions forbid that, and the notation cannot say it.
      if (!everyGroupHasTwo(tree)) continue;
      count++;
      expect(parseSyntax(printSyntax(tree))).toEqual(tree);
    }
    expect(count).toBeGreaterThan(200);
  });

  test("COMMAND INFO has the same form in both protocols", async () => {
    const plain = alike.filter((name) => !theirs.has(`${name}|help`));
    expect(plain.length).toBeGreaterThan(10);
    for (const pair of pairs)
      for (const name of plain) {
        const [mine, their] = [await pair.ours("COMMAND", "INFO", name), await pair.theirs("COMMAND", "INFO", name)];
        expect(withoutNotes(mine)).toEqual(withoutNotes(their));
      }
  });

  test("COMMAND DOCS has the same form", async () => {
    const [resp2, resp3] = pairs;
    // These have options of later versions, which the comparison of fields leaves out and the form shows.
    const newer = ["set", "bitop", "xadd", "xtrim", "xreadgroup"];
    const plain = alike.filter((name) => !theirs.has(`${name}|help`) && !newer.includes(name));
    for (const name of plain) {
      const [mine, their] = [await resp3.ours("COMMAND", "DOCS", name), await resp3.theirs("COMMAND", "DOCS", name)];
      expect(docsShape(mine)).toEqual(docsShape(their));
    }
    for (const sub of ["DOCS", "INFO"])
      expect(await resp2.ours("COMMAND", sub)).toEqual(flattened(await resp3.ours("COMMAND", sub)));
  });

  test("redis-cli shows our documentation and the argument lines of redis-server", async () => {
    const server = await startServer();
    const help = async (port: number, name: string) => {
      const child = Bun.spawn(["redis-cli", "-p", String(port), "help", ...name.split("|")], { stdout: "pipe" });
      return new Response(child.stdout).text();
    };
    const names = ["get", "mget", "ping", "command|list", "command|info", "lolwut"];
    for (const name of names) {
      const [mine, their] = [await help(server.port, name), await help(oracle.port, name)];
      expect(mine.split("\n")[1]).toBe(their.split("\n")[1]);
      const docs = await pairs[1].ours("COMMAND", "DOCS", name);
      expect(mine).toContain(` ${summaryOf(docs)}\r\n`);
    }
    await server.stop();
  });

  test("subcommands of COMMAND answer alike", async () => {
    for (const { protocol, ours: mine, theirs: their } of pairs)
      for (const line of SAME) {
        const args = line.split(" ");
        expect([protocol, line, await mine(...args)]).toEqual([protocol, line, await their(...args)]);
      }
  });
});
