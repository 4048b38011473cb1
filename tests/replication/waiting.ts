// Waiting in tests of replication: for a condition, never for a time. The limits only end a test that will not succeed; a loaded machine is no defect.

/** How long a condition may take to become true. */
export const SETTLE_LIMIT_MS = 60_000;
/** How long a test may take that waits for several of them. */
export const TEST_LIMIT_MS = 3 * SETTLE_LIMIT_MS;
const POLL_MS = 20;

/** Waits until `holds` gives something else than false; an exception counts as false. Fails with `what` after the limit. */
export async function until<T>(
  what: string | (() => string | Promise<string>),
  holds: () => T | false | Promise<T | false>,
  limitMs = SETTLE_LIMIT_MS,
): Promise<T> {
  const deadlineMs = performance.now() + limitMs;
  let last: unknown = null;
  for (;;) {
    try {
      const result = await holds();
      if (result !== false) return result;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadlineMs) break;
    await Bun.sleep(POLL_MS);
  }
  const text = typeof what === "string" ? what : await what();
  throw new Error(`not within ${limitMs} ms: ${text}${last === null ? "" : ` (last error: ${last})`}`);
}
