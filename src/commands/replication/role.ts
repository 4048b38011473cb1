/** ROLE: whether this server is a primary or a replica, and whom it replicates to or from. */
import { command } from "../../engine/context.ts";
import { type CommandLiteral, Flag } from "../../engine/spec/spec.ts";

export const ROLE_COMMANDS: readonly CommandLiteral[] = [
  command({
    name: "role",
    arity: 1,
    flags: Flag.Noscript | Flag.Loading | Flag.Stale | Flag.Fast,
    since: "2.8.12",
    group: "server",
    categories: ["admin", "dangerous"],
    summary: "Tells the role that the server has in replication.",
    complexity: "O(1)",
    run(cx) {
      const { replication } = cx.engine;
      if (replication !== null) {
        replication.writeRole(cx.reply);
        return;
      }
      cx.reply.array(3);
      cx.reply.bulkText("master");
      cx.reply.integer(0);
      cx.reply.array(0);
    },
  }),
];
