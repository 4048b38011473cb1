// The chunks of JavaScript that become the executable: the sources, bundled, their code in functions.

import { join } from "node:path";
import { moveIntoFunctions } from "./function-scope.ts";
import { type Finished, pinnedBun, runQuietly } from "./project.ts";
import { copySources } from "./start-chunk.ts";

/**
 * Makes the chunks in folder `chunks`, main.js the first of them, by way of a copy of the sources in folder `sources`, which must lie within the project, where
 * packages are found. What the bundler said and took is returned; it has failed when its exit code is not 0.
 */
export async function makeChunks(sources: string, chunks: string): Promise<Finished> {
  const options = ["--target=bun", "--splitting", "--reject-unresolved", `--outdir=${chunks}`];
  const done = await runQuietly([pinnedBun(), "build", ...options, copySources(sources)]);
  if (done.exitCode === 0) moveIntoFunctions(chunks);
  return done;
}

/** Path of the first chunk. */
export function mainChunk(chunks: string): string {
  return join(chunks, "main.js");
}
