/** Which arguments of a command are secrets: shown as "(redacted)" by whatever shows commands to people (MONITOR, the slow log). */
import type { HandlerContext } from "../handler-context.ts";
import type { CommandSpec } from "./spec.ts";

/** What stands in place of a secret. */
export const REDACTED = "(redacted)";

const NOTHING: ReadonlySet<number> = new Set();

/** Indexes of the arguments in `cx` that must not be shown. Commands with secrets say which in their literal (`redact`). */
export function redactedArguments(cx: HandlerContext, spec: CommandSpec): ReadonlySet<number> {
  const redact = spec.literal.redact;
  if (redact === undefined) return NOTHING;
  const indexes = new Set<number>();
  (redact as (cx: HandlerContext, indexes: Set<number>) => void)(cx, indexes);
  return indexes;
}
