/** What the log says while the server starts: the opening lines, and the banner that shows mode, port and process id. */
import type { Logger } from "../../base/log.ts";
import { isTerminal } from "../../base/system-calls.ts";
import { REDIS_TS_VERSION } from "../../base/version.ts";
import type { Config } from "../../config/config.ts";
import { STDOUT_FD } from "../terminal.ts";

/** The first lines of a start. `withoutArguments`: the command line was empty. */
export function logOpening(log: Logger, config: Config, program: string, withoutArguments: boolean): void {
  const { personality } = config;
  const version = personality.valkeyVersion ?? personality.redisVersion;
  log.notice(`oO0OoO0OoO0Oo ${personality.title} is starting oO0OoO0OoO0Oo`);
  log.notice(
    `${personality.title} version=${version}, bits=64, commit=00000000, modified=0, pid=${process.pid}, just started`,
  );
  if (!withoutArguments) {
    log.notice("Configuration loaded");
    return;
  }
  const file = `/path/to/${personality.serverName}.conf`;
  log.warning(
    `Warning: no config file specified, using the default config. To use one, start the server as ${program} ${file}`,
  );
}

/** The drawing when the setting asks for it or somebody watches at a terminal, else one line with the same facts. */
export function logBanner(log: Logger, config: Config): void {
  const { values } = config;
  const mode = values.clusterEnabled ? "cluster" : "standalone";
  const port = values.port !== 0 ? values.port : values.tlsPort;
  const watched = values.logfile === "" && !values.syslogEnabled && isTerminal(STDOUT_FD);
  if (values.alwaysShowLogo || watched) log.raw("notice", drawing(config, mode, port));
  else log.notice(`Running mode=${mode}, port=${port}.`);
}

/** The drawing. Scripts look for " PID: <pid>" in it. */
function drawing(config: Config, mode: string, port: number): string {
  const { personality } = config;
  const version = personality.valkeyVersion ?? personality.redisVersion;
  return `
      .-----------------.
     /|  [#] [#] [#]   /|      redis-ts ${REDIS_TS_VERSION}, 64 bit
    / '---------------' |      as ${personality.title} ${version}
   +-----------------+  |
   |  .-----------.  |  |      Running in ${mode} mode
   |  | key | val |  |  |      Port: ${port}
   |  |-----+-----|  |  +      PID: ${process.pid}
   |  | key | val |  | /
   |  '-----------'  |/
   +-----------------+

`;
}
