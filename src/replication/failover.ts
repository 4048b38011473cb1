/**
 * FAILOVER: this server hands its role over to one of its replicas without losing a write.
 *
 *   no-failover -> wait-for-sync (writes are paused until a replica has the whole stream) -> in-progress (this server follows the replica, which it asks to
 *   become a primary) -> no-failover, as its replica, or as a primary again when the replica refuses
 *
 * Invariant: writes are paused exactly while a failover is under way.
 */
import { Pause } from "../engine/client/client-pause.ts";
import type { FailoverRequest, ServerAddress } from "../engine/replication-port.ts";
import { ReplyError } from "../resp/errors.ts";
import type { Follower } from "./follower.ts";
import type { PrimarySide } from "./primary-side.ts";
import type { Replica } from "./replica.ts";
import type { ReplicationState } from "./state.ts";

const IN_PROGRESS = new ReplyError("ERR FAILOVER already in progress.");
const IS_REPLICA = new ReplyError("ERR FAILOVER is not valid when server is a replica.");
const NO_REPLICAS = new ReplyError("ERR FAILOVER requires connected replicas.");
const FORCE_NEEDS_MORE = new ReplyError(
  "ERR FAILOVER with force option requires both a timeout and target HOST and IP.",
);
const NOT_A_REPLICA = new ReplyError("ERR FAILOVER target HOST and PORT is not a replica.");
const NOT_ONLINE = new ReplyError("ERR FAILOVER target replica is not online.");

export class Failover {
  readonly #state: ReplicationState;
  readonly #primarySide: PrimarySide;
  readonly #follower: Follower;
  #target: ServerAddress | null = null;
  #force = false;
  /** Unix time in ms when the wait ends; Infinity: never. */
  #endMs = Number.POSITIVE_INFINITY;

  constructor(state: ReplicationState, primarySide: PrimarySide, follower: Follower) {
    this.#state = state;
    this.#primarySide = primarySide;
    this.#follower = follower;
    state.endFailover = (problem) => {
      if (problem === null) this.#clear();
      else this.#abort(problem);
    };
  }

  get #isUnderWay(): boolean {
    return this.#state.failover !== "no-failover";
  }

  #find({ host, port }: ServerAddress): Replica | undefined {
    return this.#primarySide.replicas.find(
      (replica) => replica.host.toLowerCase() === host.toLowerCase() && replica.port === port,
    );
  }

  /** Begins; an error when it cannot be. */
  start({ target, force, timeoutMs }: FailoverRequest): ReplyError | null {
    const { engine, replica } = this.#state;
    if (this.#isUnderWay) return IN_PROGRESS;
    if (replica !== null) return IS_REPLICA;
    if (this.#primarySide.replicas.length === 0) return NO_REPLICAS;
    if (force && (timeoutMs === 0 || target === null)) return FORCE_NEEDS_MORE;
    if (target === null) {
      engine.log.notice("FAILOVER requested to any replica.");
    } else {
      const found = this.#find(target);
      if (found === undefined) return NOT_A_REPLICA;
      if (found.stage !== "online") return NOT_ONLINE;
      engine.log.notice(`FAILOVER requested to ${target.host}:${target.port}.`);
    }
    this.#target = target;
    this.#force = force;
    this.#endMs = timeoutMs === 0 ? Number.POSITIVE_INFINITY : engine.nowMs() + timeoutMs;
    this.#state.failover = "waiting-for-sync";
    engine.pause.start(Pause.Writes, Number.POSITIVE_INFINITY);
    this.#primarySide.requestAcks();
    return null;
  }

  /** Goes on when a replica has caught up, or when the time is up. Called by the cron. */
  tend(): void {
    if (this.#state.failover !== "waiting-for-sync") return;
    const { engine, history } = this.#state;
    const target = this.#target;
    if (engine.nowMs() >= this.#endMs) {
      if (!this.#force || target === null) {
        this.#abort("Replica never caught up before timeout");
        return;
      }
      engine.log.notice(`FAILOVER to ${target.host}:${target.port} time out exceeded, failing over.`);
      this.#handOver(target);
      return;
    }
    const isSynced = ({ ackOffset }: Replica): boolean => ackOffset === history.offset;
    const found = target === null ? this.#primarySide.replicas.find(isSynced) : this.#find(target);
    if (found === undefined || !isSynced(found)) return;
    const address = { host: found.host, port: found.port };
    engine.log.notice(`Failover target ${address.host}:${address.port} is synced, failing over.`);
    this.#handOver(address);
  }

  #handOver(target: ServerAddress): void {
    this.#target = target;
    this.#state.failover = "failover-in-progress";
    this.#follower.follow(target.host, target.port);
  }

  /** FAILOVER ABORT; false when there is nothing to stop. */
  abort(): boolean {
    if (!this.#isUnderWay) return false;
    this.#abort("Failover manually aborted");
    return true;
  }

  #abort(reason: string): void {
    if (!this.#isUnderWay) return;
    const whom = this.#target === null ? "any replica" : `${this.#target.host}:${this.#target.port}`;
    this.#state.engine.log.notice(`FAILOVER to ${whom} aborted: ${reason}`);
    if (this.#state.failover === "failover-in-progress") this.#follower.promote();
    this.#clear();
  }

  #clear(): void {
    this.#target = null;
    this.#force = false;
    this.#endMs = Number.POSITIVE_INFINITY;
    this.#state.failover = "no-failover";
    this.#state.engine.pause.end();
  }
}
