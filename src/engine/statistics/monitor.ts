/**
 * MONITOR: clients that see every command that runs. A line a command:
 *
 *   +<seconds>.<microseconds, six digits> [<database> <address>] "<argument>" "<argument>" ...\r\n
 *
 * The address is `unix:<socket path>` for a unix socket and `lua` for a script's command.
 * Invariant: ServerGate.Monitors is set exactly while somebody watches.
 */
import { latin1Bytes } from "../../base/bytes.ts";
import { quoteArgument } from "../../config/line.ts";
import { type Client, ClientFlag, Origin } from "../client/client.ts";
import type { EngineView, HandlerContext } from "../handler-context.ts";
import { ServerGate } from "../observer.ts";
import { REDACTED, redactedArguments } from "../spec/redaction.ts";
import { type CommandSpec, Flag } from "../spec/spec.ts";

export class Monitors {
  readonly #engine: EngineView;
  readonly #clients = new Set<Client>();

  constructor(engine: EngineView) {
    this.#engine = engine;
  }

  /** Clients that watch. */
  get count(): number {
    return this.#clients.size;
  }

  /** Shows commands to a client from now on. */
  add(client: Client): void {
    client.set(ClientFlag.Monitor);
    this.#clients.add(client);
    this.#engine.gate |= ServerGate.Monitors;
  }

  /** Shows nothing to a client any more; harmless when it did not watch. */
  remove(client: Client): void {
    client.unset(ClientFlag.Monitor);
    this.#clients.delete(client);
    if (this.#clients.size === 0) this.#engine.gate &= ~ServerGate.Monitors;
  }

  /** Shows the command in `cx`, which has just run. Administrative commands are not shown, nor is what is loaded. */
  feed(cx: HandlerContext, spec: CommandSpec): void {
    const engine = this.#engine;
    if ((spec.flags & (Flag.Admin | Flag.SkipMonitor)) !== 0) return;
    if (cx.client.origin === Origin.Aof || (engine.gate & ServerGate.Loading) !== 0) return;
    const line = latin1Bytes(this.#line(cx, spec));
    for (const client of this.#clients) engine.push(client, line, 0, line.length);
  }

  #line(cx: HandlerContext, spec: CommandSpec): string {
    const nowUs = this.#engine.clock.nowUs();
    const seconds = Math.floor(nowUs / 1e6);
    const micros = String(nowUs - seconds * 1e6).padStart(6, "0");
    const secrets = redactedArguments(cx, spec);
    let line = `+${seconds}.${micros} [${cx.client.db.id} ${this.#source(cx.client)}]`;
    for (let i = 0; i < cx.argc; i++) line += ` ${quoteArgument(secrets.has(i) ? REDACTED : cx.text(i))}`;
    return `${line}\r\n`;
  }

  #source(client: Client): string {
    if (client.origin === Origin.Script) return "lua";
    return client.link.isUnix ? `unix:${this.#engine.config.values.unixsocket}` : client.link.address;
  }
}
