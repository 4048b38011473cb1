/** Clients that wait for keys to become ready: a place that blocking commands will fill. */
import type { Engine } from "./engine.ts";

export class Blocking {
  readonly engine: Engine;
  constructor(engine: Engine) {
    this.engine = engine;
  }
  /** A key changed that somebody may wait for. */
  keyReady(_dbId: number, _buf: Uint8Array, _at: number, _length: number): void {}
}
