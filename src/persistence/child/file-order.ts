/** What a child process that writes a file (file-child.ts) is told on its command line. */

/** The first argument of a process that is such a child; the second one is a FileOrder in JSON. */
export const FILE_CHILD_ARGUMENT = "--write-file-for-parent";

/** What a child is to do. Paths are latin1 strings. */
export interface FileOrder {
  /** Name of the file while it is written; `%` stands for the child's process id. */
  readonly temporary: string;
  /** Its name afterwards; "": the same. */
  readonly name: string;
  /** Bytes between two syncs; 0: one at the end. */
  readonly syncBytes: number;
  /** Append the CRC-64 of all bytes: 8 bytes, little-endian. */
  readonly checksum: boolean;
  /** Processors for the child, as base/cpu-affinity.ts reads them; "": those of the parent. */
  readonly processors: string;
  /** The child's oom_score_adj; null: its parent's. */
  readonly oomScore: number | null;
}
