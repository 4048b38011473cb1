/** MONITOR. */
import { ClientFlag } from "../../engine/client/client.ts";
import { command } from "../../engine/context.ts";
import { Flag } from "../../engine/spec/spec.ts";
import { ReplyError } from "../../resp/errors.ts";

const NOT_FOR_THIS_CLIENT = new ReplyError("ERR MONITOR isn't allowed for DENY BLOCKING client");

export const MONITOR_COMMANDS = [
  command({
    name: "monitor",
    arity: 1,
    flags: Flag.Admin | Flag.Noscript | Flag.Loading | Flag.Stale,
    since: "1.0.0",
    group: "server",
    summary: "Shows every command that the server runs from now on.",
    complexity: "",
    run(cx) {
      const { client, engine } = cx;
      // In EXEC and scripts each command owes one reply; a stream of lines has no place there.
      if (engine.depth > 1 || client.has(ClientFlag.DenyBlocking | ClientFlag.Internal)) throw NOT_FOR_THIS_CLIENT;
      // A replica already gets a stream; so does a second MONITOR, which has no reply.
      if (client.has(ClientFlag.Replica | ClientFlag.Monitor)) return;
      engine.monitors.add(client);
      cx.reply.ok();
    },
  }),
];
