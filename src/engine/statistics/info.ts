/**
 * What layers above the engine contribute to INFO. The sections and their order stand with the INFO command; a field of a feature that is not there shows
 * its idle value until the feature's owner adds a source that answers for it.
 */

import { hexEncode } from "../../base/hex.ts";
import { fillRandom } from "../../base/prng.ts";

/** A value of a field, as it is printed. */
export type InfoValue = string | number;

/** Writes lines of a section. */
export type InfoLines = (line: (field: string, value: InfoValue) => void) => void;

/** Answers for fields, or for whole sections whose fields come and go. */
export interface InfoSource {
  /** Field name -> its value. */
  readonly fields?: Readonly<Record<string, () => InfoValue>>;
  /** Section name in lower case -> all of its lines, in place of the idle ones. */
  readonly sections?: Readonly<Record<string, InfoLines>>;
  /** Sets the source's counters to zero: CONFIG RESETSTAT. */
  readonly reset?: () => void;
}

/** Every source of one server. */
export class InfoSources {
  #runId = "";
  #replicationId = "";
  readonly #fields = new Map<string, () => InfoValue>();
  readonly #sections = new Map<string, InfoLines>();
  /** What CONFIG RESETSTAT calls, so that a source resets its counters. */
  readonly resets: (() => void)[] = [];

  /** Identifies this run of the server: 40 hexadecimal digits, new with every start. */
  get runId(): string {
    if (this.#runId === "") this.#runId = randomId();
    return this.#runId;
  }

  /** Names the history of changes that this run begins with. */
  get replicationId(): string {
    if (this.#replicationId === "") this.#replicationId = randomId();
    return this.#replicationId;
  }

  /** Adds a source; for the same field or section the last one counts. */
  add(source: InfoSource): void {
    for (const [field, value] of Object.entries(source.fields ?? {})) this.#fields.set(field, value);
    for (const [section, lines] of Object.entries(source.sections ?? {})) this.#sections.set(section, lines);
    if (source.reset !== undefined) this.resets.push(source.reset);
  }

  /** Who answers for a field. */
  field(name: string): (() => InfoValue) | undefined {
    return this.#fields.get(name);
  }

  /** Who writes a section. */
  section(name: string): InfoLines | undefined {
    return this.#sections.get(name);
  }
}

const ID_BYTES = 20;

/** 40 random hexadecimal digits. */
function randomId(): string {
  const bytes = new Uint8Array(ID_BYTES);
  fillRandom(bytes);
  return hexEncode(bytes, 0, ID_BYTES);
}
