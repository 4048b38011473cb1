/**
 * The stream of changes: what is propagated goes, behind a SELECT where the database changes, to the backlog, out of which every replica that is fed is sent what
 * it lacks at the end of the turn. A server that is a replica itself does not make a stream of its own: it passes its primary's on, byte for byte.
 *
 * Invariants: history.offset counts the bytes; where there is no backlog nobody is fed, and each command counts as one byte, so that what has been synced to the
 * append-only file can be told from what has not.
 */
import { latin1Bytes } from "../base/bytes.ts";
import { type PropagationSink, selectCommand, Target } from "../engine/propagation.ts";
import type { Backlog } from "./backlog.ts";
import type { Replica } from "./replica.ts";
import type { ReplicationState } from "./state.ts";

const NO_DATABASE = -1;

export class PrimaryFeed implements PropagationSink {
  readonly targets = Target.Replicas;
  /** Every replica, fed or not. */
  readonly replicas: Replica[] = [];
  readonly #state: ReplicationState;
  #selected = NO_DATABASE;

  constructor(state: ReplicationState) {
    this.#state = state;
    state.engine.flushStream = () => this.flush();
  }

  /** Database that the stream has selected; -1: none. */
  get selected(): number {
    return this.#selected;
  }

  /** The next command is preceded by a SELECT, whatever came before: somebody joins who does not know. */
  forgetSelection(): void {
    this.#selected = NO_DATABASE;
  }

  propagate(dbId: number, bytes: Uint8Array, offset: number, length: number): void {
    const { history, engine, replica } = this.#state;
    if (replica !== null) return;
    if (history.backlog === null) {
      history.offset++;
    } else {
      if (dbId !== NO_DATABASE && dbId !== this.#selected) this.#select(dbId);
      this.feed(bytes, offset, length);
    }
    engine.cx.client.writeOffset = history.offset;
  }

  #select(dbId: number): void {
    this.#selected = dbId;
    const bytes = selectCommand(dbId);
    this.feed(bytes, 0, bytes.length);
  }

  /** Adds bytes to the stream as they are. Only while there is a backlog. */
  feed(bytes: Uint8Array, offset: number, length: number): void {
    const { engine, history } = this.#state;
    history.offset += length;
    (history.backlog as Backlog).append(bytes, offset, length);
    if (engine.holdsStream || this.replicas.length === 0) return;
    engine.holdsStream = true;
    engine.scheduleCommit();
  }

  /** Has replicas sent what they lack: at the end of a turn. */
  flush(): void {
    this.#state.engine.holdsStream = false;
    const { replicas } = this;
    for (let i = 0; i < replicas.length; i++) if (replicas[i].isFed) replicas[i].client.link.streamGrew();
  }

  /** Adds a command without keys, if there is a stream. */
  feedText(text: string): void {
    if (this.#state.history.backlog === null) return;
    const bytes = latin1Bytes(text);
    this.feed(bytes, 0, bytes.length);
  }
}
