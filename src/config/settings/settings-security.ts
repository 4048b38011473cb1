/** Settings of passwords, users and what clients may do to the server. */

import { row, SettingFlag } from "./setting.ts";
import { LONG_MAX, uint } from "./setting-number.ts";
import { enumeration, secret, text } from "./setting-types.ts";

const { Immutable, Sensitive } = SettingFlag;

/** Does the ACL subsystem exist? */
const ACL_READY = false;

/** Who may use something dangerous: nobody, everybody, clients of this host. */
export type ProtectedAction = "no" | "yes" | "local";

const PROTECTED_ACTIONS = ["no", "yes", "local"] as const;

/** Does `setting` allow the action to a client that is, or is not, on this host? */
export function allowsAction(setting: ProtectedAction, clientIsLocal: boolean): boolean {
  return setting === "yes" || (setting === "local" && clientIsLocal);
}

/** Makes the rows. */
export const securitySettings = () => ({
  requirepass: row(secret(), "Password of the default user.", { flags: Sensitive }),
  aclfile: row(text(""), "File that users are loaded from and saved to.", { flags: Immutable, ready: ACL_READY }),
  "acl-pubsub-default": row(
    enumeration("resetchannels", ["allchannels", "resetchannels"]),
    "Channels that a new user may use.",
    { ready: ACL_READY },
  ),
  "acllog-max-len": row(uint(128, 0, LONG_MAX), "Entries that ACL LOG keeps.", { ready: ACL_READY }),
  "enable-protected-configs": row(enumeration("no", PROTECTED_ACTIONS), "Who may set protected settings.", {
    flags: Immutable,
  }),
  "enable-debug-command": row(enumeration("no", PROTECTED_ACTIONS), "Who may use DEBUG.", { flags: Immutable }),
  "enable-module-command": row(enumeration("no", PROTECTED_ACTIONS), "Who may use MODULE.", { flags: Immutable }),
});
