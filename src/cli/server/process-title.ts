/**
 * The title that `ps` shows. On Linux the kernel reads it out of the process's own memory, where the arguments stand and the environment behind them.
 * The runtime has copied the arguments, so their place is free. A longer title runs over the first variables of the environment: process.env
 * still has them, C libraries that ask later have not. Elsewhere the runtime's own way is used.
 */
import { readSmallText } from "../../base/small-file.ts";
import { nodeFs } from "../../base/system-calls.ts";
import { fromBinary } from "../../config/binary.ts";
import type { Config } from "../../config/config.ts";
import { expandTitle } from "../../config/proc-title.ts";

/** Fields of /proc/self/stat behind the parenthesised name, which is the second: where the arguments and the environment begin and end. */
const FIELD_OFFSET = 3;
const ARGUMENTS_START = 48 - FIELD_OFFSET;
const ARGUMENTS_END = 49 - FIELD_OFFSET;
const ENVIRONMENT_END = 51 - FIELD_OFFSET;

/** The title that the settings ask for, a latin1 string; `program` is the name that the server was started under. */
export function processTitle(config: Config, program: string): string {
  const { values } = config;
  const lookUp = (variable: string): string | null => {
    switch (variable) {
      case "title":
        return program;
      case "listen-addr":
        return listenAddress(config);
      case "server-mode":
        return values.clusterEnabled ? "[cluster]" : "";
      case "port":
        return String(values.port);
      case "tls-port":
        return String(values.tlsPort);
      case "unixsocket":
        return values.unixsocket;
      case "config-file":
        return config.configFile ?? "";
      default:
        return null;
    }
  };
  return expandTitle(values.procTitleTemplate, lookUp) ?? program;
}

function listenAddress(config: Config): string {
  const { bind, port, tlsPort, unixsocket } = config.values;
  if (port === 0 && tlsPort === 0 && unixsocket !== "") return unixsocket;
  return `${bind.length > 0 ? bind[0] : "*"}:${port !== 0 ? port : tlsPort}`;
}

/** Shows a title (latin1). A system that does not let us is none the worse for it. */
export function setProcessTitle(title: string): void {
  if (process.platform !== "linux") {
    process.title = fromBinary(title);
    return;
  }
  try {
    writeOverArguments(title);
  } catch {
    // No /proc here, or it is not ours to write.
  }
}

function writeOverArguments(title: string): void {
  const stat = readSmallText("/proc/self/stat");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const start = Number(fields[ARGUMENTS_START]);
  const ownSize = Number(fields[ARGUMENTS_END]) - start;
  const sizeMax = Number(fields[ENVIRONMENT_END]) - start;
  if (!(start > 0) || !(ownSize > 0) || !(sizeMax >= ownSize)) return;
  // Ends with a zero. The kernel looks beyond the arguments' place only when that does not end with one.
  const size = Math.max(ownSize, Math.min(title.length + 1, sizeMax));
  const shown = title.slice(0, size - 1).padEnd(size, "\0");
  const { closeSync, openSync, writeSync } = nodeFs();
  const fd = openSync("/proc/self/mem", "r+");
  try {
    writeSync(fd, shown, start, "latin1");
  } finally {
    closeSync(fd);
  }
}
