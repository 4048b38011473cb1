/** How a tool of the Redis family was called: what every tool gets. */
import type { Personality } from "../../config/personality.ts";
import type { Terminal } from "../terminal.ts";

export interface ToolCall {
  /** The name it was started under: "redis-check-aof", "redis-ts check-aof". */
  readonly program: string;
  readonly args: readonly string[];
  readonly personality: Personality;
  readonly terminal: Terminal;
}
