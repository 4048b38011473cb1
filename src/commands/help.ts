/** The reply of a container's HELP subcommand. */
import type { Context } from "../engine/context.ts";

/**
 * Answers HELP: an opening line, the given lines, and HELP's own. A line names a subcommand with its arguments; lines that explain it follow,
 * indented by four spaces.
 */
export function writeHelp(cx: Context, lines: readonly string[]): void {
  const { reply } = cx;
  reply.array(lines.length + 3);
  reply.status(`${cx.text(0).toUpperCase()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`);
  for (const line of lines) reply.status(line);
  reply.status("HELP");
  reply.status("    Prints this help.");
}
