/** What becomes of keys whose time has come, as the server's state has it. The one place that decides: states come and go in any order. */
import { ExpiryMode } from "../keyspace/key-rules.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { ServerGate } from "./observer.ts";

/** Sets the keyspace's mode. To be called when ServerGate.Loading, Paused or Replica has been set or cleared, and by who has set another mode for a moment. */
export function settleExpiryMode(engine: { readonly gate: number; readonly keyspace: Keyspace }): void {
  const { gate, keyspace } = engine;
  if ((gate & ServerGate.Loading) !== 0) keyspace.expiryMode = ExpiryMode.Ignore;
  else if ((gate & (ServerGate.Paused | ServerGate.Replica)) !== 0) keyspace.expiryMode = ExpiryMode.Hide;
  else keyspace.expiryMode = ExpiryMode.Delete;
}
