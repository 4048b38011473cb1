/** The version of redis-ts: package.json says it, and a bundler copies the one field it needs. */

import { version } from "../../package.json";

/** Version of redis-ts itself, as in `redis_ts_version`. Not the version of Redis that it claims to be compatible with. */
export const REDIS_TS_VERSION: string = version;
