/**
 * The tools of the Redis family that this executable contains beside the server, by their names without "redis-". Each is a module of its own, loaded when
 * it is asked for.
 */
import type { ToolCall } from "./tool-call.ts";

/** Runs a tool to its end and returns the status. */
type Tool = (call: ToolCall) => Promise<number>;

const TOOLS: ReadonlyMap<string, Tool> = new Map<string, Tool>([
  ["check-aof", async (call) => (await import("./check-aof.ts")).runCheckAof(call)],
  ["check-rdb", async (call) => (await import("./check-rdb.ts")).runCheckRdb(call)],
]);

/** Is there a tool of this name? */
export function isTool(name: string): boolean {
  return TOOLS.has(name);
}

/** Runs the tool of a name for which isTool() is true. */
export async function runTool(name: string, call: ToolCall): Promise<number> {
  const tool = TOOLS.get(name);
  if (tool === undefined) throw new Error(`no tool ${name}`);
  return await tool(call);
}
