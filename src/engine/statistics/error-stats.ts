/**
 * Error replies by their code, the first word of the text. Scripts can make up codes without end, so the number of codes that are told apart is limited;
 * what happens beyond the limit differs by personality: Redis gives up until the statistics are reset, Valkey counts further codes of scripts together.
 */

/** Codes that are told apart. */
const CODES_MAX = 128;
/** A code ends within this many characters, or the error counts as ERR. */
const CODE_LENGTH_MAX = 30;

const DISABLED = "ERRORSTATS_DISABLED";
const OVERFLOW = "ERRORSTATS_OVERFLOW";

export class ErrorStats {
  readonly #counts = new Map<string, number>();
  readonly #overflows: boolean;
  #disabled = false;
  /** Told once when the codes have become too many and counting stops; gets the codes. */
  onDisabled: (codes: readonly string[]) => void = () => {};

  /** `overflows`: count codes beyond the limit together instead of giving up. */
  constructor(overflows: boolean) {
    this.#overflows = overflows;
  }

  /** Replies with this code. */
  get(code: string): number {
    return this.#counts.get(code) ?? 0;
  }

  /** Codes and counts, in byte order of the codes. */
  entries(): (readonly [string, number])[] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  }

  /** Counts an error reply, given by its text without "-". `custom`: a script made it up. */
  count(text: string, custom: boolean): void {
    if (this.#disabled) return;
    let code = errorCode(text);
    const known = this.#counts.get(code);
    if (known !== undefined) {
      this.#counts.set(code, known + 1);
      return;
    }
    if (this.#counts.size >= CODES_MAX) {
      if (!this.#overflows) {
        this.#disable();
        return;
      }
      if (custom) code = OVERFLOW;
    }
    this.#counts.set(code, this.get(code) + 1);
  }

  #disable(): void {
    this.onDisabled(this.entries().map(([code]) => code));
    this.reset();
    this.#counts.set(DISABLED, 1);
    this.#disabled = true;
  }

  /** Forgets everything, and counts again. */
  reset(): void {
    this.#counts.clear();
    this.#disabled = false;
  }
}

/** The code of an error text: its first word. */
export function errorCode(text: string): string {
  const space = text.indexOf(" ");
  return space < 0 || space > CODE_LENGTH_MAX ? "ERR" : text.slice(0, space);
}
