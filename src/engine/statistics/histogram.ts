/**
 * Latency histograms: logarithmic steps of values, each cut into equal buckets, so that a value is known to about one percent. The shape is that of
 * an HDR histogram of 1 ns to 1 s with two significant digits, bucket for bucket, so that percentiles and cumulative counts come out as Redis prints them.
 *
 *   index 0..255       values 0..255 ns, one a bucket
 *   then 128 a step    values 256..511 two a bucket, 512..1023 four a bucket, ... up to 2^30 ns
 *
 * A histogram is a plain array of counts. Recording makes no object.
 */

const SUB_BUCKETS_EXP = 8;
const HALF_EXP = 7;
const HALF = 1 << HALF_EXP;
const LINEAR_MAX = (1 << SUB_BUCKETS_EXP) - 1;
/** Steps of doubling above the linear part, and buckets in all. */
const STEPS = 23;
export const HISTOGRAM_LENGTH = (STEPS + 1) * HALF;
/** Largest value that is told apart; longer durations count as this, shorter ones as one. */
const VALUE_MAX_NS = 1e9;
const VALUE_MIN_NS = 1;

/** Cumulative counts are reported up to powers of two from this one on. */
const FIRST_LEVEL_NS = 1024;

/** An empty histogram. */
export function newHistogram(): Float64Array {
  return new Float64Array(HISTOGRAM_LENGTH);
}

/** Adds a duration in microseconds (with a fraction). */
export function recordLatency(counts: Float64Array, usec: number): void {
  const scaled = usec * 1000;
  const ns = scaled >= VALUE_MAX_NS ? VALUE_MAX_NS : scaled < VALUE_MIN_NS ? VALUE_MIN_NS : scaled | 0;
  counts[bucketIndex(ns)]++;
}

/** The bucket of a value in ns, 0 to 2^30 - 1. */
export function bucketIndex(ns: number): number {
  const step = 32 - SUB_BUCKETS_EXP - Math.clz32(ns | LINEAR_MAX);
  return (step << HALF_EXP) + (ns >> step);
}

/** The lowest value of a bucket. */
export function bucketStart(index: number): number {
  if (index <= LINEAR_MAX) return index;
  const step = (index >> HALF_EXP) - 1;
  return ((index & (HALF - 1)) + HALF) * 2 ** step;
}

/** The highest value of a bucket. */
export function bucketEnd(index: number): number {
  return bucketStart(index + 1) - 1;
}

/** Values recorded. */
export function histogramCount(counts: Float64Array): number {
  let total = 0;
  for (let i = 0; i < HISTOGRAM_LENGTH; i++) total += counts[i];
  return total;
}

/** The value in ns below which `percentile` (0 to 100) of the recorded values lie: the end of its bucket (the start for percentile 0). 0 when empty. */
export function percentileNs(counts: Float64Array, percentile: number): number {
  const wanted = Math.max(1, Math.floor((Math.min(percentile, 100) / 100) * histogramCount(counts) + 0.5));
  let seen = 0;
  for (let i = 0; i < HISTOGRAM_LENGTH; i++) {
    seen += counts[i];
    if (seen >= wanted) return percentile === 0 ? bucketStart(i) : bucketEnd(i);
  }
  return 0;
}

/**
 * Calls `visit` with a latency in microseconds and the number of values up to it, for each power of two up to which there are more values than up
 * to the one before.
 */
export function cumulativeCounts(counts: Float64Array, visit: (usec: number, count: number) => void): void {
  const total = histogramCount(counts);
  let index = 0;
  let seen = 0;
  let reported = 0;
  for (let level = FIRST_LEVEL_NS; seen < total; level *= 2) {
    // The bucket that a level opens counts with it.
    const last = Math.min(bucketIndex(Math.min(level, 2 ** 30 - 1)), HISTOGRAM_LENGTH - 1);
    for (; index <= last; index++) seen += counts[index];
    if (seen > reported) visit(Math.floor(bucketEnd(last) / 1000), seen);
    reported = seen;
  }
}
