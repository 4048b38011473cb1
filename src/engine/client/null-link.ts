/** The link of clients that have no connection: output is dropped. */
import type { ClientLink } from "../ports.ts";

export const NULL_LINK: ClientLink = {
  address: "",
  localAddress: "",
  fd: -1,
  isUnix: false,
  isTls: false,
  append: () => {},
  closeAfterFlush: () => {},
  close: () => {},
  resume: () => {},
  delayPackets: () => {},
  hold: () => {},
  sendAhead: (_bytes, _offset, length) => length,
  letGo: () => {},
  attachStream: () => {},
  streamGrew: () => {},
  pendingOutput: () => 0,
  firstBufferBytes: () => 0,
  queuedReplies: () => 0,
  queuedReplyBytes: () => 0,
  replyBufferBytes: () => 0,
  replyBufferPeak: () => 0,
  inputBytes: () => 0,
  inputFreeBytes: () => 0,
  memoryBytes: () => 0,
};
