/**
 * The stream of changes: what is propagated goes, behind a SELECT where the database changes, to the backlog and to every replica that is fed. A server that is
 * a replica itself does not make a stream of its own: it passes its primary's on, byte for byte.
 *
 * Bytes collect until the end of the turn: one copy to the backlog and to each replica then costs less than one for each command.
 *
 * Invariants: history.offset counts the bytes; where there is no backlog nobody is fed, and each command counts as one byte, so that what has been synced to the
 * append-only file can be told from what has not.
 */
import { copyBytes, latin1Bytes } from "../base/bytes.ts";
import { type PropagationSink, selectCommand, Target } from "../engine/propagation.ts";
import type { Replica } from "./replica.ts";
import type { ReplicationState } from "./state.ts";

const NO_DATABASE = -1;
/** Bytes that collect in a turn before they are handed on. */
const TURN_BYTES = 64 * 1024;

export class PrimaryFeed implements PropagationSink {
  readonly targets = Target.Replicas;
  /** Every replica, fed or not. */
  readonly replicas: Replica[] = [];
  readonly #state: ReplicationState;
  #selected = NO_DATABASE;
  /** #turn[0, #length): bytes of this turn, which neither backlog nor replicas have yet. */
  readonly #turn = new Uint8Array(TURN_BYTES);
  #length = 0;

  constructor(state: ReplicationState) {
    this.#state = state;
    state.engine.flushStream = () => this.flush();
    state.history.settle = () => this.flush();
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

  /** Adds bytes to the stream as they are. */
  feed(bytes: Uint8Array, offset: number, length: number): void {
    const { engine, history } = this.#state;
    history.offset += length;
    if (this.#length + length > TURN_BYTES) {
      this.flush();
      if (length > TURN_BYTES) {
        this.#deliver(bytes, offset, length);
        return;
      }
    }
    copyBytes(bytes, offset, this.#turn, this.#length, length);
    this.#length += length;
    if (engine.holdsStream) return;
    engine.holdsStream = true;
    engine.scheduleCommit();
  }

  /** Hands on what has collected: at the end of a turn, and before anybody looks at the backlog or joins. */
  flush(): void {
    this.#state.engine.holdsStream = false;
    const length = this.#length;
    if (length === 0) return;
    this.#length = 0;
    this.#deliver(this.#turn, 0, length);
  }

  #deliver(bytes: Uint8Array, offset: number, length: number): void {
    this.#state.history.backlog?.append(bytes, offset, length);
    const { replicas } = this;
    for (let i = 0; i < replicas.length; i++) {
      if (replicas[i].isFed) replicas[i].client.link.append(bytes, offset, length);
    }
  }

  /** Adds a command without keys, if there is a stream. */
  feedText(text: string): void {
    if (this.#state.history.backlog === null) return;
    const bytes = latin1Bytes(text);
    this.feed(bytes, 0, bytes.length);
  }
}
