/** Settings of cluster mode. */
import { row, SettingFlag } from "./setting.ts";
import { int, LONG_MAX, ULONG_MAX, uint, unsignedMemory } from "./setting-number.ts";
import { bool, type Check, enumeration, optionalText, text } from "./setting-types.ts";

const { Immutable, Hidden } = SettingFlag;

/** Does cluster mode exist? */
const CLUSTER_READY = false;
const pending = { ready: CLUSTER_READY } as const;

/** One more than the longest host name. */
const HOST_NAME_MAX = 256;

const checkHostname: Check<string> = (value) => {
  if (value.length >= HOST_NAME_MAX) return `Hostnames must be less than ${HOST_NAME_MAX} characters`;
  if (/^[A-Za-z0-9.-]*$/.test(value)) return null;
  return "Hostnames may only contain alphanumeric characters, hyphens or dots";
};

const checkNodename: Check<string> = (value) => {
  return /[!#$%&()*+;<>?@[\]^{|}~]/.test(value) ? "Announced human node name contained invalid character" : null;
};

/** Loaded when an address is checked: an import would load the whole network module, a quarter of the server's start. */
const net = () => process.getBuiltinModule("node:net");

const checkIpv4: Check<string> = (value) => (value === "" || net().isIPv4(value) ? null : "Invalid IPv4 address");
const checkIpv6: Check<string> = (value) => (value === "" || net().isIPv6(value) ? null : "Invalid IPv6 address");
const checkFile: Check<string> = (value) => (value === "" ? "cluster-config-file can't be empty" : null);

/** Makes the rows. */
export const clusterSettings = () => ({
  "cluster-enabled": row(bool(false), "Be a node of a cluster.", { flags: Immutable, ...pending }),
  "cluster-config-file": row(text("nodes.conf", checkFile), "File in which a node keeps its view of the cluster.", {
    flags: Immutable,
    ...pending,
  }),
  "cluster-port": row(int(0, 0, 65535), "Port of the cluster bus; 0 is the client port plus 10000.", {
    flags: Immutable,
    ...pending,
  }),
  "cluster-node-timeout": row(
    int(15000, 0, LONG_MAX),
    "Milliseconds of silence after which a node is thought to have failed.",
    pending,
  ),
  "cluster-ping-interval": row(
    int(0, 0, LONG_MAX),
    "Milliseconds between two pings of the bus, for tests; 0 is the usual second.",
    {
      flags: Hidden,
      ...pending,
    },
  ),
  "cluster-replica-validity-factor": row(
    int(10),
    "How old a replica's data may be for it to take over; 0 is any age.",
    {
      alias: "cluster-slave-validity-factor",
      ...pending,
    },
  ),
  "cluster-replica-no-failover": row(bool(false), "Never take over from a failed primary by itself.", {
    alias: "cluster-slave-no-failover",
    ...pending,
  }),
  "cluster-migration-barrier": row(
    int(1),
    "Replicas a primary must keep before one may move to another primary.",
    pending,
  ),
  "cluster-allow-replica-migration": row(bool(true), "Let replicas move to primaries that have none.", pending),
  "cluster-require-full-coverage": row(bool(true), "Stop answering while a slot has no owner.", pending),
  "cluster-allow-reads-when-down": row(bool(false), "Answer reads even then.", pending),
  "cluster-allow-pubsubshard-when-down": row(bool(true), "Carry shard channels even then.", pending),
  "cluster-link-sendbuf-limit": row(
    unsignedMemory(0, 0, ULONG_MAX),
    "Bytes pending on a bus link past which it is closed; 0 is no limit.",
    pending,
  ),
  "cluster-preferred-endpoint-type": row(
    enumeration("ip", ["ip", "hostname", "unknown-endpoint"]),
    "What clients are told to connect to.",
    pending,
  ),
  "cluster-announce-ip": row(optionalText(), "Address to tell other nodes.", pending),
  "cluster-announce-client-ipv4": row(optionalText(checkIpv4), "IPv4 address to tell clients.", {
    only: "valkey",
    ...pending,
  }),
  "cluster-announce-client-ipv6": row(optionalText(checkIpv6), "IPv6 address to tell clients.", {
    only: "valkey",
    ...pending,
  }),
  "cluster-announce-hostname": row(optionalText(checkHostname), "Host name to tell clients.", pending),
  "cluster-announce-human-nodename": row(optionalText(checkNodename), "Name of this node in log lines.", pending),
  "cluster-announce-port": row(int(0, 0, 65535), "TCP port to tell others; 0 is the real one.", pending),
  "cluster-announce-tls-port": row(int(0, 0, 65535), "TLS port to tell others; 0 is the real one.", pending),
  "cluster-announce-bus-port": row(int(0, 0, 65535), "Bus port to tell others; 0 is the real one.", pending),
  "cluster-blacklist-ttl": row(uint(60, 0, ULONG_MAX), "Seconds for which a forgotten node is not added again.", {
    only: "valkey",
    ...pending,
  }),
  "cluster-slot-stats-enabled": row(bool(false), "Count traffic and time a slot.", { only: "valkey", ...pending }),
});
