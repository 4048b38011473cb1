/**
 * --check-system: looks at the settings of the operating system that a server suffers from. Each check reads one file under
 * /proc or /sys through the given reader and has an opinion only when the file is there.
 */

/** Reads a small file; null when it cannot be read. */
export type FileReader = (path: string) => string | null;

/** What a check found: null when all is well, otherwise a sentence with the remedy. */
interface SystemCheck {
  readonly name: string;
  run(read: FileReader): string | null;
}

/** Connections that wait for accept(): the default of tcp-backlog. */
const BACKLOG_WANTED = 511;

/** Default maxclients and the descriptors that the server needs for itself. */
const OPEN_FILES_WANTED = 10_000 + 32;

const CHECKS: readonly SystemCheck[] = [
  {
    name: "clocksource",
    run(read) {
      const source = read("/sys/devices/system/clocksource/clocksource0/current_clocksource")?.trim();
      if (source !== "acpi_pm" && source !== "hpet" && source !== "jiffies") return null;
      return `The kernel reads the time from '${source}', which is slow, and a server reads it for every command. Choose 'tsc' if the machine has a stable one.`;
    },
  },
  {
    name: "backlog",
    run(read) {
      const limit = Number.parseInt(read("/proc/sys/net/core/somaxconn") ?? "", 10);
      if (Number.isNaN(limit) || limit >= BACKLOG_WANTED) return null;
      return `At most ${limit} connections can wait to be accepted; tcp-backlog asks for ${BACKLOG_WANTED}. Raise it with 'sysctl net.core.somaxconn=${BACKLOG_WANTED + 1}'.`;
    },
  },
  {
    name: "open-files",
    run(read) {
      const limit = /^Max open files\s+(\d+)/m.exec(read("/proc/self/limits") ?? "")?.[1];
      if (limit === undefined || Number(limit) >= OPEN_FILES_WANTED) return null;
      return `A process may open ${limit} files; 10000 clients need ${OPEN_FILES_WANTED}. Raise it with 'ulimit -n' or in the service's definition.`;
    },
  },
  {
    name: "huge-pages",
    run(read) {
      if (!read("/sys/kernel/mm/transparent_hugepage/enabled")?.includes("[always]")) return null;
      return "Transparent huge pages are always on, which makes memory use jump and pages slow to come. Write 'madvise' to /sys/kernel/mm/transparent_hugepage/enabled.";
    },
  },
];

/** Runs every check. `text` has one line for each, with the remedy below it when there is one. */
export function checkSystem(read: FileReader): { readonly text: string; readonly healthy: boolean } {
  let healthy = true;
  const lines: string[] = [];
  for (const check of CHECKS) {
    const problem = check.run(read);
    if (problem === null) lines.push(`[${check.name}]...OK`);
    else {
      healthy = false;
      lines.push(`[${check.name}]...WARNING:`, problem, "");
    }
  }
  return { text: `${lines.join("\n")}\n`, healthy };
}
