/**
 * Writes are refused while the disk does not take what it should: the append-only file cannot be written, or the last snapshot failed. ServerGate.DiskError
 * is set while there may be such a reason; the gate then asks what it is.
 */
import { ReplyError } from "../../resp/errors.ts";
import { Origin } from "../client/client.ts";
import type { EngineView, HandlerContext } from "../handler-context.ts";
import { ServerGate } from "../observer.ts";
import { type CommandSpec, Flag } from "../spec/spec.ts";
import { gateFlags } from "../transactions.ts";

/** To be called whenever a reason may have come or gone. */
export function updateDiskGate(engine: EngineView): void {
  if (diskProblem(engine) === null) engine.gate &= ~ServerGate.DiskError;
  else engine.gate |= ServerGate.DiskError;
}

/** The error that a write is answered with now, or null. */
export function diskProblem(engine: EngineView): string | null {
  const denial = engine.persistence?.writeDenial() ?? null;
  if (denial !== null) return denial;
  const problem = engine.appendOnly?.writeProblem ?? null;
  return problem === null ? null : `MISCONF Errors writing to the AOF file: ${problem}`;
}

/** The gate. PING is refused too, so that those who watch over servers notice. */
export function diskError(cx: HandlerContext, spec: CommandSpec): ReplyError | null {
  const { engine, client } = cx;
  if ((engine.gate & ServerGate.DiskError) === 0 || client.origin !== Origin.Client) return null;
  if ((gateFlags(client, spec) & Flag.Write) === 0 && spec.name !== "ping") return null;
  const problem = diskProblem(engine);
  return problem === null ? null : new ReplyError(problem);
}
