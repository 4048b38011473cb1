/**
 * oom-score-adj: tells Linux which process to kill first when memory runs out. The score that the process was started with is remembered while the
 * setting is on: relative scores are relative to it, and switching the setting off puts it back.
 */
import type { Logger } from "../../base/log.ts";
import { readOomScore, writeOomScore } from "../../base/oom-score.ts";
import type { Config } from "../../config/config.ts";
import { errnoText } from "../../config/errno.ts";

const SCORE_MAX = 1000;

/** What a process is to the kernel's choice: index into oom-score-adj-values. */
const OomClass = { Primary: 0, Replica: 1, Child: 2 } as const;

export class OomScore {
  readonly #config: Config;
  readonly #log: Logger;
  /** The score before the first change; null while the process has that score. */
  #base: number | null = null;
  /** What this process is: a value of OomClass. */
  #class: number = OomClass.Primary;

  constructor(config: Config, log: Logger) {
    this.#config = config;
    this.#log = log;
  }

  /** Sets the score that the settings ask for. False, and the reason is in the log, when the system refuses. */
  apply(): boolean {
    const { oomScoreAdj } = this.#config.values;
    if (oomScoreAdj === "no") {
      const base = this.#base;
      this.#base = null;
      return base === null || this.#write(base);
    }
    if (this.#base === null && !this.#readBase()) return false;
    return this.#write(this.#scoreOf(this.#class));
  }

  /** This process is a replica, or a primary. */
  setRole(isReplica: boolean): void {
    const fresh = isReplica ? OomClass.Replica : OomClass.Primary;
    if (fresh === this.#class) return;
    this.#class = fresh;
    if (this.#config.values.oomScoreAdj !== "no") this.apply();
  }

  /** The score of child processes; null: that of their parent. */
  get childScore(): number | null {
    return this.#config.values.oomScoreAdj === "no" ? null : this.#scoreOf(OomClass.Child);
  }

  #scoreOf(oomClass: number): number {
    const { oomScoreAdj, oomScoreAdjValues } = this.#config.values;
    const wanted = oomScoreAdjValues[oomClass] + (oomScoreAdj === "absolute" ? 0 : (this.#base ?? 0));
    return Math.max(-SCORE_MAX, Math.min(SCORE_MAX, wanted));
  }

  #readBase(): boolean {
    try {
      this.#base = readOomScore();
      return true;
    } catch (error) {
      this.#log.warning(`Unable to read oom_score_adj: ${errnoText(error)}`);
      return false;
    }
  }

  #write(score: number): boolean {
    try {
      writeOomScore(score);
      return true;
    } catch (error) {
      this.#log.warning(`Unable to write oom_score_adj: ${errnoText(error)}`);
      return false;
    }
  }
}
