/** What commands are written against: the context that handlers get, with the whole engine behind it, and the declaration of a command. */
import type { Engine } from "./engine.ts";
import type { HandlerContext } from "./handler-context.ts";
import type { CommandLiteral } from "./spec/spec.ts";

/** The context of a command that runs (handler-context.ts). */
export interface Context extends HandlerContext {
  readonly engine: Engine;
}

/** Declares a command: a typed identity. Each engine makes its own CommandSpec of it, so that statistics are not shared. */
export function command(literal: CommandLiteral<Context>): CommandLiteral {
  return literal;
}
