/** What Linux adds to this process's score when it looks for one to kill because memory ran out: -1000 to 1000. Elsewhere both functions throw. */
import { nodeFs } from "./system-calls.ts";

const PATH = "/proc/self/oom_score_adj";

/** The number as it is now; throws what the system says against it. */
export function readOomScore(): number {
  return Number.parseInt(nodeFs().readFileSync(PATH, "latin1"), 10);
}

/** Sets the number; throws what the system says against it. */
export function writeOomScore(score: number): void {
  nodeFs().writeFileSync(PATH, `${score}\n`);
}
