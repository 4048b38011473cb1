/** What a command waits for that cannot answer yet: see blocking.ts. */
import type { ReplyWriter } from "../../resp/writer.ts";

/** What a handler that cannot answer yet waits for. */
export interface Wait {
  /** The keys among the arguments: `keyCount` of them from argument `firstKey`. No keys: until wake() or finish(), or for the time. */
  readonly firstKey: number;
  readonly keyCount: number;
  /** Type of the value (types/entry.ts) that makes a key ready, or ANY_TYPE. */
  readonly type: number;
  /** Milliseconds to wait; 0: for ever. A request that runs again and parks again keeps its first deadline. */
  readonly timeoutMs: number;
  /** Run again also when a key is deleted or its type changes. */
  readonly onLoss?: boolean;
  /** Unix time in ms, in the future, after which to run again even if no key is ready; absent: never. */
  readonly retryAtMs?: number;
  /** Writes the reply when the time is up. */
  readonly onTimeout: (reply: ReplyWriter) => void;
  /** Writes the reply when this client cannot wait (transaction, script); as onTimeout when absent. */
  readonly onDenied?: (reply: ReplyWriter) => void;
}
