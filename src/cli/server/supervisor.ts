/**
 * supervised: tells the program that started the server what it is doing. systemd wants messages on a datagram socket whose path is in NOTIFY_SOCKET
 * ("READY=1"), upstart wants the process to stop itself once.
 */
import type { Logger } from "../../base/log.ts";
import type { Config } from "../../config/config.ts";
import { notifySocket } from "./supervisor-socket.ts";

export class Supervisor {
  readonly #socket: string;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  /** Finds the supervisor that the settings name; null when there is none. */
  static find(config: Config, log: Logger): Supervisor | null {
    let mode: string = config.values.supervised;
    if (mode === "auto") mode = process.env.UPSTART_JOB ? "upstart" : process.env.NOTIFY_SOCKET ? "systemd" : "no";
    if (mode === "upstart") return upstart(log);
    return mode === "systemd" ? Supervisor.#systemd(config, log) : null;
  }

  static #systemd(config: Config, log: Logger): Supervisor | null {
    const socket = process.env.NOTIFY_SOCKET;
    if (!socket) {
      log.warning("systemd supervision requested, but NOTIFY_SOCKET not found!");
      return null;
    }
    const supervisor = new Supervisor(socket);
    if (!supervisor.tell(`STATUS=${config.personality.title} is loading...\n`)) {
      log.warning("systemd supervision requested, but its socket takes no messages.");
      return null;
    }
    log.notice(
      "Supervised by systemd. TimeoutStartSec and TimeoutStopSec of the unit must leave time to load and save.",
    );
    return supervisor;
  }

  /** Sends a message; false when that failed. */
  tell(message: string): boolean {
    return this.#socket === "" || notifySocket(this.#socket, message);
  }

  /** Upstart is told by stopping alone. */
  static silent(): Supervisor {
    return new Supervisor("");
  }
}

function upstart(log: Logger): Supervisor | null {
  if (!process.env.UPSTART_JOB) {
    log.warning("upstart supervision requested, but UPSTART_JOB not found!");
    return null;
  }
  log.notice("supervised by upstart, will stop to signal readiness.");
  delete process.env.UPSTART_JOB;
  process.kill(process.pid, "SIGSTOP");
  return Supervisor.silent();
}
