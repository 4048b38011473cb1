// Our command table against that of a live redis-server 7.0: COMMAND INFO and COMMAND DOCS of every command that both have, and the replies of COMMAND's
// subcommands byte for byte.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { parseSyntax } from "../../src/engine/syntax.ts";
import { printSyntax } from "../engine/syntax-printer.ts";
import type { RespClient } from "../support/client.ts";
import { type TestClient, testServer } from "../support/engine.ts";
import { describeOracle, startOracle } from "../support/oracle.ts";
import type { RunningServer } from "../support/process.ts";
import { parseReplies, type Reply } from "../support/transcript-reply.ts";
import { DIFFERENCES } from "./command-differences.ts";
import { compareMetadata, type Metadata, readArguments, readMetadata } from "./command-metadata.ts";

/** Replies of one server as a RESP2 or RESP3 client gets them. */
type Ask = (...args: string[]) => Promise<Reply>;

function askOurs(client: TestClient): Ask {
  return async (...args) => client.send(...args);
}

function askTheirs(client: RespClient): Ask {
  return async (...args) => parseReplies(Buffer.from(await client.callRaw(...args), "latin1"))[0];
}

describeOracle("command metadata", () => {
  let oracle: RunningServer;
  const resp2: { ours: Ask; theirs: Ask }[] = [];
  const both: { protocol: number; ours: Ask; theirs: Ask }[] = [];
  let ours: Map<string, Metadata>;
  let theirs: Map<string, Metadata>;

  beforeAll(async () => {
    oracle = await startOracle();
    const server = testServer();
    for (const protocol of [2, 3]) {
      const mine = server.connect();
      mine.client.resp = protocol;
      const client = await oracle.connect();
      if (protocol === 3) await client.must("HELLO", 3);
      both.push({ protocol, ours: askOurs(mine), theirs: askTheirs(client) });
    }
    resp2.push(both[0]);
    ours = readMetadata(await both[1].ours("COMMAND"), await both[1].ours("COMMAND", "DOCS"));
    theirs = readMetadata(await both[1].theirs("COMMAND"), await both[1].theirs("COMMAND", "DOCS"));
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
    const docs = await both[1].theirs("COMMAND", "DOCS");
    let count = 0;
    for (const tree of readArguments(docs)) {
      count++;
      expect(parseSyntax(printSyntax(tree))).toEqual(tree);
    }
    expect(count).toBeGreaterThan(250);
  });
});
