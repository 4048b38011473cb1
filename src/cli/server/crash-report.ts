/**
 * The last words of a server: what happened, where, and what it was doing. The markers at both ends, "crashed by signal" and "ASSERTION FAILED" are what
 * scripts look for.
 */
import { latin1 } from "../../base/bytes.ts";
import { REDIS_TS_VERSION } from "../../base/version.ts";
import { infoText } from "../../commands/server/info.ts";
import { clientLine } from "../../engine/client/client-list.ts";
import type { Engine } from "../../engine/engine.ts";
import type { CrashCause, CrashSignal } from "../../engine/ports.ts";
import { REDACTED } from "../../engine/spec/redaction.ts";

const SIGNAL_NUMBER: Readonly<Record<CrashSignal, number>> = { SIGABRT: 6, SIGSEGV: 11 };

/** Arguments of the command that was running: so many, and so many bytes of each. */
const ARGUMENTS_MAX = 32;
const ARGUMENT_BYTES_MAX = 128;

/** Clients that are listed. */
const CLIENTS_MAX = 1000;

/** Writes the report to the log. Whatever goes wrong with a part of it, the others are written. */
export function reportCrash(engine: Engine, cause: CrashCause): void {
  const { log, config } = engine;
  const title = config.personality.title;
  const raw = (text: string): void => log.raw("warning", text);
  const part = (name: string, write: () => string): void => {
    raw(`\n------ ${name} ------\n`);
    try {
      raw(`${write().trimEnd()}\n`);
    } catch (error) {
      raw(`(not available: ${String(error)})\n`);
    }
  };
  raw(`\n\n=== ${config.personality.crashReportStart}: everything down to the END line ===\n`);
  if ("signal" in cause) {
    log.warning(`${title} ${config.personality.redisVersion} crashed by signal: ${SIGNAL_NUMBER[cause.signal]}`);
  } else {
    log.warning(`=== ${cause.kind} ===`);
    log.warning(`==> ${String(cause.error)}`);
  }
  if (config.values.crashLogEnabled) {
    part("STACK TRACE", () => stackOf(cause));
    part("INFO OUTPUT", () => infoText(engine, ["everything"]));
    part("CLIENT LIST OUTPUT", () => clientsOf(engine));
    if (engine.executing !== null) part("CURRENT CLIENT INFO", () => currentClient(engine));
    part("CONFIG DEBUG OUTPUT", () => config.crashReportLines());
  }
  raw(
    `\n=== ${title.toUpperCase()} BUG REPORT END. ===\n\n` +
      `       Please report this to the makers of redis-ts ${REDIS_TS_VERSION}, from START to END.\n\n`,
  );
}

function stackOf(cause: CrashCause): string {
  const error = "error" in cause ? cause.error : new Error("stack of the signal's handler");
  return error instanceof Error ? (error.stack ?? String(error)) : String(error);
}

function clientsOf(engine: Engine): string {
  const lines: string[] = [];
  for (const client of engine.clients.values()) {
    if (lines.length === CLIENTS_MAX) return `${lines.join("\n")}\n(and ${engine.clients.size - CLIENTS_MAX} more)`;
    lines.push(clientLine(engine, client));
  }
  return lines.join("\n");
}

/** The client whose command was running, and the command. */
function currentClient(engine: Engine): string {
  const { cx, config } = engine;
  const lines = [clientLine(engine, cx.client), `argc: '${cx.argc}'`];
  for (let i = 0; i < Math.min(cx.argc, ARGUMENTS_MAX); i++) {
    const hidden = i > 0 && config.values.hideUserDataFromLog;
    const shown = hidden ? REDACTED : latin1(cx.buf, cx.start[i], Math.min(cx.length[i], ARGUMENT_BYTES_MAX));
    lines.push(`argv[${i}]: '${shown}'`);
  }
  return lines.join("\n");
}
