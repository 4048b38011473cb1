/** BGREWRITEAOF, and DEBUG LOADAOF, which stands with DEBUG. What they do is the append-only file's business (engine.appendOnly). */
import { latin1Bytes } from "../../base/bytes.ts";
import { ClientFlag, Halt } from "../../engine/client/client.ts";
import { type Context, command } from "../../engine/context.ts";
import { halt, release } from "../../engine/gates/gates.ts";
import { Flag } from "../../engine/spec/spec.ts";
import { ReplyError } from "../../resp/errors.ts";

const BUSY = new ReplyError("ERR Background append only file rewriting already in progress");
const FAILED = new ReplyError(
  "ERR Can't execute an AOF background rewriting. Please check the server logs for more information.",
);
const NOT_LOADED = "ERR Error trying to load the AOF files, check server logs.";

function rewrite(cx: Context): void {
  switch (cx.engine.appendOnly?.rewrite() ?? "failed") {
    case "started":
      cx.reply.status("Background append only file rewriting started");
      return;
    case "scheduled":
      cx.reply.status("Background append only file rewriting scheduled");
      return;
    case "busy":
      throw BUSY;
    default:
      throw FAILED;
  }
}

/** DEBUG LOADAOF. The client gets its answer when all is loaded; a transaction or a script cannot wait, and lets everybody wait instead. */
export function debugLoadAof(cx: Context): void {
  const { client, engine } = cx;
  const { appendOnly } = engine;
  if (appendOnly === null) throw new ReplyError(NOT_LOADED);
  if (engine.depth > 1 || client.has(ClientFlag.Internal)) {
    appendOnly.reload(true, (ok) => {
      if (ok) cx.reply.ok();
      else cx.reply.error(NOT_LOADED);
    });
    return;
  }
  const mute = client.has(ClientFlag.ReplyOff | ClientFlag.ReplySkip);
  halt(client, Halt.Loading);
  setImmediate(() => {
    appendOnly.reload(false, (ok) => {
      if (client.has(ClientFlag.Closed)) return;
      const reply = latin1Bytes(ok ? "+OK\r\n" : `-${NOT_LOADED}\r\n`);
      if (!mute) client.link.append(reply, 0, reply.length);
      release(client, Halt.Loading);
    });
  });
}

export const BGREWRITEAOF_COMMANDS = [
  command({
    name: "bgrewriteaof",
    arity: 1,
    flags: Flag.NoAsyncLoading | Flag.Admin | Flag.Noscript,
    since: "1.0.0",
    group: "server",
    summary: "Rewrites the append-only file in the background.",
    complexity: "O(1)",
    run: rewrite,
  }),
];
