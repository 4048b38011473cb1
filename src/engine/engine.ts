/**
 * The one way in: execute() runs any command for any origin. It finds the spec, walks the gates, calls the handler, and
 * delivers the effects in one fixed order. It knows no command in particular.
 */
import type { Clock } from "../base/clock.ts";
import { Logger } from "../base/log.ts";
import type { Config } from "../config/config.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { ReplyError, wrongArity } from "../resp/errors.ts";
import { Request } from "../resp/request.ts";
import { ReplyWriter } from "../resp/writer.ts";
import type { Blocking } from "./blocking/blocking.ts";
import { Authentication } from "./client/authentication.ts";
import { Client, ClientFlag, Halt, Origin } from "./client/client.ts";
import { ClientPause } from "./client/client-pause.ts";
import { NULL_LINK } from "./client/null-link.ts";
import { DebugState } from "./debug-state.ts";
import { deliverEffects } from "./deliver.ts";
import { settleExpiryMode } from "./expiry-mode.ts";
import { passGates } from "./gates/gates.ts";
import { WebRequests } from "./gates/web-request.ts";
import { type ClientLimit, type EngineView, HandlerContext } from "./handler-context.ts";
import { MemoryUsage } from "./memory.ts";
import { ServerGate } from "./observer.ts";
import { OwnKeys } from "./own-keys.ts";
import type { Dialer } from "./peer.ts";
import { Pending } from "./pending.ts";
import type { AppendOnlyPort, PersistencePort, ProcessPort } from "./ports.ts";
import type { Prefetcher } from "./prefetch.ts";
import { Propagation, type PropagationSink } from "./propagation.ts";
import { followNotifySetting } from "./pubsub/notify.ts";
import type { PubSub } from "./pubsub/pubsub.ts";
import { dropReplyToReplica } from "./replica-reply.ts";
import type { ReplicationPort } from "./replication-port.ts";
import { saveKeysFirst } from "./snapshot-keys.ts";
import type { CommandList } from "./spec/command-family.ts";
import { CommandTable } from "./spec/command-table.ts";
import { type CommandSpec, Flag } from "./spec/spec.ts";
import { unknownCommand, unknownSubcommand } from "./spec/unknown-command.ts";
import { BriefCalls } from "./statistics/brief-calls.ts";
import { newHistogram, recordLatency } from "./statistics/histogram.ts";
import { InfoSources } from "./statistics/info.ts";
import { LatencyMonitor } from "./statistics/latency.ts";
import { Monitors } from "./statistics/monitor.ts";
import { SlowLog } from "./statistics/slowlog.ts";
import { Stats } from "./statistics/stats.ts";
import { abortedExec, discardTransaction, isExec, spoilTransaction, WatchRegistry } from "./transactions.ts";

/** CLIENT REPLY has switched replies off, or this one. Messages still come. */
const MUTE = ClientFlag.ReplyOff | ClientFlag.ReplySkip;

export class Engine implements EngineView {
  readonly keyspace: Keyspace;
  readonly clock: Clock;
  readonly config: Config;
  readonly commands: CommandTable;
  readonly clients = new Map<number, Client>();
  readonly stats: Stats;
  readonly slowlog = new SlowLog();
  readonly latency: LatencyMonitor;
  readonly memory: MemoryUsage;
  readonly info = new InfoSources();
  readonly debug = new DebugState();
  /** The server's log; silent until somebody sets one. */
  log: Logger;
  /** What SHUTDOWN and others ask of the process; null where there is none to end. */
  process: ProcessPort | null = null;
  #pubsub: PubSub | null = null;
  readonly watches: WatchRegistry;
  #blocking: Blocking | null = null;
  readonly authentication: Authentication;
  readonly monitors: Monitors;
  readonly pause: ClientPause;
  /** Who receives propagated commands, and what they have not been given yet. */
  readonly sinks: PropagationSink[] = [];
  readonly propagation = new Propagation();
  readonly cx: HandlerContext;
  #prefetcher: Prefetcher | null = null;
  /** The calls of a pipeline that share a reading of the clock. */
  readonly briefs: BriefCalls;
  /** Keys that clients have written on this server as a replica, and that expire. */
  readonly ownKeys: OwnKeys;
  /** The reply buffer of the client that executes. */
  readonly reply = new ReplyWriter();
  /** Messages that the executing client sent to itself: they follow its reply. */
  readonly pushes = new ReplyWriter(1024);

  gate = 0;
  observed = 0;
  /** What waits for the outermost command to return: bits of Pending. */
  pending = 0;
  /** Keyspace events that are switched on: bits of Event. 0: none. */
  notifyMask = 0;
  noTouch = false;
  /** Changes since the last save. */
  dirty = 0;
  /** Replies wait for the end of the turn: what they tell of has yet to be written to the append-only file. */
  holdsReplies = false;
  /** Asks for a call of blocking.expire() in so many milliseconds, in place of what was asked for before. Plugged in by whoever has timers. */
  armTimer: (delayMs: number) => void = () => {};
  /** Asks for a call of commit() before the replies of this turn leave. Plugged in by whoever sends them. */
  scheduleCommit: () => void = () => {};
  /** Writes the append-only file, and lets replies go. Plugged in by whoever has such a file. */
  commit: () => void = () => {};
  /** The stream of changes has grown in this turn: flushStream() is to be called before output leaves. */
  holdsStream = false;
  /** Hands the stream of this turn to replicas. Plugged in by whoever makes it. */
  flushStream: () => void = () => {};
  /** Brings persistence and replication if they have been put off. Plugged in by whoever puts them off. */
  joinDataSet: () => void = () => {};
  /** The append-only file; null where there is none. */
  appendOnly: AppendOnlyPort | null = null;
  /** Snapshots on disk; null where there are none. */
  persistence: PersistencePort | null = null;
  /** Opens connections to other servers; null where there can be none. */
  dialer: Dialer | null = null;
  /** Replicas and primaries; null where there are none. */
  replication: ReplicationPort | null = null;
  /** The limit of the memory of all clients; null while there is none. Plugged in with client eviction. */
  clientLimit: ClientLimit | null = null;
  /** The client whose command runs, or null between commands. Within EXEC and scripts it stays who called them. */
  executing: Client | null = null;
  /** Nesting of execute() within EXEC and scripts. */
  depth = 0;
  /** Microseconds, monotonic: end of the last command, start of the next. */
  lastUs = 0;
  /** Wall clock minus monotonic clock in ms; refreshed by tick(). */
  #wallOffsetMs = 0;
  #nextClientId = 1;
  readonly #webRequests = new WebRequests();
  /** Messages that stand where the reply of a client without replies would: they stay when the reply is taken back. */
  #mutedPushBytes = 0;

  constructor(config: Config, keyspace: Keyspace, clock: Clock, commands: CommandList) {
    this.config = config;
    this.keyspace = keyspace;
    this.clock = clock;
    this.stats = new Stats(config.personality.errorStatsOverflow);
    this.latency = new LatencyMonitor(clock);
    this.memory = new MemoryUsage(keyspace.arena);
    this.log = new Logger({ clock, level: "nothing" });
    this.commands = new CommandTable(commands);
    this.briefs = new BriefCalls(this.stats);
    this.ownKeys = new OwnKeys(keyspace);
    this.watches = new WatchRegistry(this);
    this.authentication = new Authentication(this);
    this.monitors = new Monitors(this);
    this.pause = new ClientPause(this);
    followNotifySetting(this);
    const internal = new Client(0, NULL_LINK, keyspace.first, 0);
    internal.set(ClientFlag.Internal);
    this.commands.beforeLoading = () => keyspace.open();
    keyspace.onOpen = (bytes) => {
      this.memory.startupBytes += bytes;
      this.#enterDatabases(internal);
    };
    this.cx = new HandlerContext(this, internal, this.commands.own[0], this.reply, new Request());
    this.tick();
    this.stats.startedMs = this.nowMs();
    this.stats.lastSaveSeconds = Math.floor(this.nowMs() / 1000);
  }

  /** Channels and who listens to them. Made when somebody asks. */
  get pubsub(): PubSub {
    return this.#pubsub ?? this.#newPubSub();
  }

  #newPubSub(): PubSub {
    const { PubSub } = require("./pubsub/pubsub.ts") as typeof import("./pubsub/pubsub.ts");
    this.#pubsub = new PubSub(this);
    return this.#pubsub;
  }

  /** Is there anything in `pubsub`? */
  get hasPubSub(): boolean {
    return this.#pubsub !== null;
  }

  /** Who waits for keys. Made when somebody asks. */
  get blocking(): Blocking {
    return this.#blocking ?? this.#newBlocking();
  }

  #newBlocking(): Blocking {
    const { Blocking } = require("./blocking/blocking.ts") as typeof import("./blocking/blocking.ts");
    this.#blocking = new Blocking(this);
    return this.#blocking;
  }

  /** Those who came before there were databases get theirs. */
  #enterDatabases(internal: Client): void {
    const { databases } = this.keyspace;
    internal.db = databases[0];
    for (const client of this.clients.values()) client.db = databases[0];
    this.cx.db = this.cx.client.db;
  }

  /** What looks ahead in pipelines, where databases and commands must be at hand. */
  get prefetcher(): Prefetcher {
    return this.#prefetcher ?? this.#newPrefetcher();
  }

  #newPrefetcher(): Prefetcher {
    this.commands.beforeLoading(true);
    const { Prefetcher } = require("./prefetch.ts") as typeof import("./prefetch.ts");
    this.#prefetcher = new Prefetcher();
    return this.#prefetcher;
  }

  /** Registers a client for a link. */
  connect(link: Client["link"]): Client {
    const client = new Client(this.#nextClientId++, link, this.keyspace.first, this.nowMs());
    client.resp = this.config.values.clientDefaultResp;
    this.authentication.admit(client);
    if (this.debug.frozen) client.halted |= Halt.Frozen;
    this.clients.set(client.id, client);
    this.stats.connectionsReceived++;
    return client;
  }

  /** Forgets a client that went away: its subscriptions, watches, transaction and place in queues. */
  disconnect(client: Client): void {
    client.set(ClientFlag.Closed);
    this.#pubsub?.forget(client);
    discardTransaction(this, client);
    this.#blocking?.forget(client);
    this.monitors.remove(client);
    this.pause.forget(client);
    this.replication?.forget(client);
    this.clientLimit?.forget(client);
    this.clients.delete(client.id);
  }

  /** Re-reads both clocks. Called at the start of every turn and by the cron. */
  tick(): void {
    const nowUs = this.clock.monotonicUs();
    this.stats.beginTurn(this.lastUs, nowUs);
    this.lastUs = nowUs;
    // In microseconds: a clock that is a fraction of a millisecond late makes times to live too long.
    this.#wallOffsetMs = (this.clock.nowUs() - this.lastUs) / 1000;
    this.refreshTime();
    this.keyspace.refreshAccessClock();
    this.pause.update();
  }

  /** Starts a turn of input: reads the monotonic clock, which commands then share from end to start. */
  startTurn(): void {
    const nowUs = this.clock.monotonicUs();
    this.stats.beginTurn(this.lastUs, nowUs);
    this.lastUs = nowUs;
    this.refreshTime();
  }

  /** Derives the wall time from the last clock reading. */
  refreshTime(): void {
    const nowMs = Math.floor(this.#wallOffsetMs + this.lastUs / 1000);
    this.keyspace.nowMs = nowMs;
  }

  /** Unix time in ms as of the last clock reading. */
  nowMs(): number {
    return this.keyspace.nowMs;
  }

  /** Runs one command of a client; its reply is appended to `reply`. The request must have at least one argument; `known` is its spec when the caller has it. */
  execute(client: Client, request: Request, known: CommandSpec | null = null): void {
    const cx = this.cx;
    cx.client = client;
    cx.db = client.db;
    cx.request = request;
    cx.buf = request.buf;
    cx.start = request.start;
    cx.length = request.length;
    cx.argc = request.count;
    cx.reply.resp3 = client.resp === 3;
    let spec = known ?? this.commands.find(request.buf, request.start[0], request.length[0]);
    if (spec === null) {
      if (!this.#webRequests.ends(client, cx.text(0), this.log, this.nowMs())) this.reject(unknownCommand(cx), null);
      return;
    }
    if (spec.subcommands !== null && request.count > 1) {
      const sub = this.commands.findSub(spec, request.buf, request.start[1], request.length[1]);
      if (sub === null) {
        this.reject(unknownSubcommand(cx, spec), null);
        return;
      }
      spec = sub;
    }
    if (!spec.arityFits(request.count)) {
      this.reject(wrongArity(spec.fullName), spec);
      return;
    }
    cx.spec = spec;
    client.lastCommand = spec;
    if ((client.gate | this.gate | (spec.flags & Flag.Protected)) !== 0) this.#callGated(client, cx, spec);
    else this.call(cx, spec);
  }

  /** The way of a command when the client or the server is in a state that matters: gates, CLIENT NO-TOUCH, CLIENT REPLY. */
  #callGated(client: Client, cx: HandlerContext, spec: CommandSpec): void {
    const start = cx.reply.pos;
    const isReplica = client.has(ClientFlag.Replica);
    if (client.has(ClientFlag.ReplySkipNext)) {
      client.unset(ClientFlag.ReplySkipNext);
      client.set(ClientFlag.ReplySkip);
    }
    if (passGates(cx, spec)) {
      this.noTouch = client.has(ClientFlag.NoTouch);
      this.call(cx, spec);
      this.noTouch = false;
      if ((this.gate & ServerGate.Replica) !== 0 && client.origin === Origin.Client) this.#afterReplicaCommand(spec);
    }
    if (isReplica && cx.reply.pos > start) dropReplyToReplica(this, client, cx.reply, start);
    if (!client.has(MUTE)) return;
    cx.reply.pos = start + this.#mutedPushBytes;
    this.#mutedPushBytes = 0;
    // A command that waits is not over yet.
    if (!client.has(ClientFlag.Blocked | ClientFlag.Paused)) client.unset(ClientFlag.ReplySkip);
  }

  /** A client's command has run on a replica. */
  #afterReplicaCommand(spec: CommandSpec): void {
    settleExpiryMode(this);
    const { client, request } = this.cx;
    if ((spec.flags & Flag.Write) !== 0 && !client.has(ClientFlag.Blocked))
      this.ownKeys.note(client.db.id, spec, request);
  }

  /** Answers a command that is not run. */
  reject(reason: ReplyError, spec: CommandSpec | null): void {
    const cx = this.cx;
    cx.client.lastCommand = spec;
    let error = reason;
    if (spec !== null) {
      spec.rejectedCalls++;
      if (isExec(spec)) {
        error = abortedExec(this, cx.client, reason);
        if ((this.gate & ServerGate.Monitors) !== 0) this.monitors.feed(cx, spec);
      }
    }
    spoilTransaction(this, cx.client);
    this.stats.countError(error.text);
    const start = cx.reply.pos;
    if (!cx.client.has(MUTE | ClientFlag.ReplySkipNext)) cx.reply.error(error.text);
    if (cx.client.has(ClientFlag.Replica)) dropReplyToReplica(this, cx.client, cx.reply, start);
    cx.client.unset(ClientFlag.ReplySkipNext);
    cx.reply.errors = 0;
  }

  /** Runs a handler and delivers its effects. The gates have been passed; cx is filled. */
  call(cx: HandlerContext, spec: CommandSpec): void {
    if (saveKeysFirst(cx, spec)) return;
    const reply = cx.reply;
    const start = reply.pos;
    reply.errors = 0;
    const outer = this.executing;
    if (outer === null) this.executing = cx.client;
    this.depth++;
    const brief = this.depth === 1 && this.#mayBeBrief(cx, spec);
    const startUs = this.lastUs;
    cx.nowMs = this.keyspace.nowMs;
    cx.dirty = 0;
    cx.effects.count = 0;
    try {
      (spec.run as (cx: HandlerContext) => void)(cx);
    } catch (error) {
      this.#fail(cx, start, error);
    }
    let usec = 0;
    const shares = brief && this.briefs.take(spec, reply.pos - start);
    if (shares) {
      this.#countCompletion(spec, cx.client);
    } else {
      const end = this.clock.monotonicUs();
      // DEBUG SLEEP puts its beginning back by the time that it will take.
      usec = end - (this.lastUs < startUs ? this.lastUs : startUs);
      if (this.depth === 1) this.stats.commandsUs += usec;
      this.lastUs = end;
      spec.usec += usec;
      if (!cx.parked) this.countCall(spec, cx.client, usec);
    }
    if (reply.errors !== 0) this.countFailure(spec, reply);
    if ((this.gate & ServerGate.Monitors) !== 0 && !this.blocking.isRetrying) this.monitors.feed(cx, spec);
    if (cx.dirty !== 0 || cx.effects.count !== 0 || cx.replacement !== null) deliverEffects(this, cx, spec);
    if (cx.parked) usec = this.blocking.suspend(cx, usec);
    if (usec >= this.stats.slowThresholdUs) this.recordSlow(cx, spec, usec);
    this.depth--;
    this.executing = outer;
    if (this.depth === 0) {
      if (!shares) this.refreshTime();
      if (this.pending !== 0) this.#endUnit(reply, spec, start);
    }
  }

  /** Whether a command may share a reading of the clock with others. If not, those before it are settled. */
  #mayBeBrief(cx: HandlerContext, spec: CommandSpec): boolean {
    const { briefs } = this;
    if (!briefs.inPipeline) return false;
    const last = cx.argc - 1;
    if (briefs.admits(spec, cx.start[last] + cx.length[last] - cx.start[0])) return true;
    if (briefs.count > 0) this.settleBriefs();
    return false;
  }

  /** Reads the clock for the brief calls that have ended without. */
  settleBriefs(): void {
    const end = this.clock.monotonicUs();
    const usec = end - this.lastUs;
    this.lastUs = end;
    this.stats.commandsUs += usec;
    this.briefs.settle(usec);
    this.refreshTime();
  }

  #countCompletion(spec: CommandSpec, client: Client): void {
    spec.calls++;
    client.commandCount++;
    this.stats.commandsProcessed++;
  }

  /** Counts a call that has ended, after `usec` microseconds. */
  countCall(spec: CommandSpec, client: Client, usec: number): void {
    this.#countCompletion(spec, client);
    if (!this.stats.tracksLatency) return;
    spec.histogram ??= newHistogram();
    recordLatency(spec.histogram, usec);
  }

  /** Counts the error in a command's reply and forgets it: whoever ran the command, EXEC or a script, has not failed. */
  countFailure(spec: CommandSpec, reply: ReplyWriter): void {
    spec.failedCalls++;
    this.stats.countError(reply.lastError);
    reply.errors = 0;
  }

  /** Shows a command that took as long as stats.slowThresholdUs to the slow log and the latency monitor. */
  recordSlow: (cx: HandlerContext, spec: CommandSpec, usec: number) => void = () => {};

  /** Samples rates and memory for INFO. Called by the cron. */
  sampleStatistics: () => void = () => {};

  /** Sends out-of-turn output to a client: after its reply (also where it gets none) when its own command runs, else with its next flush. */
  push(client: Client, bytes: Uint8Array, at: number, length: number): void {
    if (client === this.executing) {
      this.pushes.rawBytes(bytes, at, length);
      this.pending |= Pending.Pushes;
    } else {
      client.link.append(bytes, at, length);
    }
  }

  /** Decides about a command when memory is limited: evicts, or answers an error. Plugged in with eviction. */
  memoryGate: (cx: HandlerContext, spec: CommandSpec) => ReplyError | null = () => null;
  /** Says why a queued command may no longer run when EXEC comes to it (access rules may have changed): the error text, or null. */
  execDenial: (cx: HandlerContext, spec: CommandSpec) => string | null = () => null;

  /** The outermost command has returned: its unit is propagated, its client gets its own messages, clients that wait for keys are served. */
  #endUnit(reply: ReplyWriter, spec: CommandSpec, start: number): void {
    // A command that touched keys of its own choosing (SCAN, RANDOMKEY) deleted what had expired: that is no unit.
    if (this.propagation.count > 0)
      this.propagation.flush(this.sinks, (spec.flags & (Flag.AllKeys | Flag.Write)) !== Flag.AllKeys);
    const muted = this.cx.client.has(MUTE);
    const pushed = this.pushes.pos;
    if (pushed > 0) {
      if (muted) reply.pos = start;
      reply.rawBytes(this.pushes.buf, 0, pushed);
      this.pushes.clear();
    }
    const ready = (this.pending & Pending.Ready) !== 0;
    this.pending = 0;
    if (ready) {
      this.noTouch = false;
      this.blocking.serve();
    }
    this.#mutedPushBytes = muted ? pushed : 0;
  }

  #fail(cx: HandlerContext, start: number, error: unknown): void {
    if (!(error instanceof ReplyError)) throw error;
    if (cx.dirty !== 0) throw new Error(`${cx.spec.fullName} failed after a change: ${error.text}`);
    cx.reply.pos = start;
    cx.reply.error(error.text);
  }
}
