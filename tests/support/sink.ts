/** A propagation sink that keeps what it is given as lines of text: "0> SET k v", "-> MULTI". */
import { type PropagationSink, Target } from "../../src/engine/propagation.ts";
import { parseReplies } from "./transcript-reply.ts";

export class CollectingSink implements PropagationSink {
  readonly targets: number;
  readonly #lines: string[] = [];

  constructor(targets: number = Target.All) {
    this.targets = targets;
  }

  propagate(dbId: number, bytes: Uint8Array, offset: number, length: number): void {
    const [command] = parseReplies(bytes.slice(offset, offset + length));
    if (command.kind !== "array") throw new Error(`propagated ${command.kind}, not an array`);
    const words = command.items.map((item) => {
      if (item.kind !== "bulk") throw new Error(`propagated argument of kind ${item.kind}`);
      return item.text;
    });
    this.#lines.push(`${dbId < 0 ? "-" : dbId}> ${words.join(" ")}`);
  }

  /** What came since the last call. */
  take(): string[] {
    return this.#lines.splice(0);
  }
}
