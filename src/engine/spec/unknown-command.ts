/** Error texts for names that are no command, with the arguments that were given, as Redis words and cuts them. */
import { latin1, untilNul } from "../../base/bytes.ts";
import { ReplyError } from "../../resp/errors.ts";
import type { HandlerContext } from "../handler-context.ts";
import type { CommandSpec } from "./spec.ts";

const SHOWN_MAX = 128;

/** `ERR unknown command 'x', with args beginning with: 'a' 'b' `. Name and arguments are cut at 128 bytes and at a NUL; quotes and line ends are not escaped. */
export function unknownCommand(cx: HandlerContext): ReplyError {
  let shown = "";
  for (let i = 1; i < cx.argc && shown.length < SHOWN_MAX; i++) {
    const length = Math.min(cx.length[i], SHOWN_MAX - shown.length);
    shown += `'${untilNul(latin1(cx.buf, cx.start[i], length))}' `;
  }
  return new ReplyError(
    `ERR unknown command '${untilNul(cx.text(0).slice(0, SHOWN_MAX))}', with args beginning with: ${shown}`,
  );
}

/** `ERR unknown subcommand 'x'. Try CONTAINER HELP.` */
export function unknownSubcommand(cx: HandlerContext, container: CommandSpec): ReplyError {
  return new ReplyError(
    `ERR unknown subcommand '${untilNul(cx.text(1).slice(0, SHOWN_MAX))}'. Try ${container.name.toUpperCase()} HELP.`,
  );
}
