/**
 * Geohashes as Redis keeps places: longitude and latitude are each cut into 2^step equal parts, and the bits of the two part numbers are interleaved, the
 * latitude's in the even places (bit 0 upwards), the longitude's in the odd ones. With 26 steps that is an integer of 52 bits, which a score can hold.
 *
 * The latitude reaches to 85.05112878 degrees, where the square Web Mercator map ends. Part numbers may be one too large when a coordinate is exactly
 * the upper end of its range; Redis' are, too.
 */

export const LONGITUDE_MIN = -180;
export const LONGITUDE_MAX = 180;
export const LATITUDE_MIN = -85.05112878;
export const LATITUDE_MAX = 85.05112878;
/** Steps of a stored geohash. */
export const GEOHASH_STEPS = 26;
/** Characters of the text form. */
export const GEOHASH_TEXT_LENGTH = 11;

const RADIANS_PER_DEGREE = Math.PI / 180;
/** The earth as a sphere: the quadratic mean radius. */
const EARTH_RADIUS_M = 6372797.560856;
const ALPHABET = "0123456789bcdefghjkmnpqrstuvwxyz";
const TWO_63 = 2 ** 63;
const TWO_32 = 2 ** 32;

/** A point in degrees. */
export interface Point {
  longitude: number;
  latitude: number;
}

/** True when both are within the ranges that a geohash can tell. */
export function isOnMap(longitude: number, latitude: number): boolean {
  return (
    longitude >= LONGITUDE_MIN && longitude <= LONGITUDE_MAX && latitude >= LATITUDE_MIN && latitude <= LATITUDE_MAX
  );
}

/** Number of the part in which a longitude on the map lies when there are 2^steps. */
export function longitudePart(longitude: number, steps: number): number {
  return Math.floor(((longitude - LONGITUDE_MIN) / (LONGITUDE_MAX - LONGITUDE_MIN)) * 2 ** steps);
}

/** Number of the part in which a latitude on the map lies when there are 2^steps. */
export function latitudePart(latitude: number, steps: number): number {
  return Math.floor(((latitude - LATITUDE_MIN) / (LATITUDE_MAX - LATITUDE_MIN)) * 2 ** steps);
}

/** Where a part of the longitude begins, in degrees. */
export function longitudeOf(part: number, steps: number): number {
  return LONGITUDE_MIN + (part / 2 ** steps) * (LONGITUDE_MAX - LONGITUDE_MIN);
}

/** Where a part of the latitude begins, in degrees. */
export function latitudeOf(part: number, steps: number): number {
  return LATITUDE_MIN + (part / 2 ** steps) * (LATITUDE_MAX - LATITUDE_MIN);
}

/** The bits of a part number of at most 2^26, with a zero between each two. */
function spread(part: number): number {
  return spread16(part & 0xffff) + spread16(part >>> 16) * TWO_32;
}

function spread16(n: number): number {
  let x = n;
  x = (x | (x << 8)) & 0x00ff00ff;
  x = (x | (x << 4)) & 0x0f0f0f0f;
  x = (x | (x << 2)) & 0x33333333;
  return (x | (x << 1)) & 0x55555555;
}

/** The even bits of 32, together. */
function gather16(n: number): number {
  let x = n & 0x55555555;
  x = (x | (x >>> 1)) & 0x33333333;
  x = (x | (x >>> 2)) & 0x0f0f0f0f;
  x = (x | (x >>> 4)) & 0x00ff00ff;
  return (x | (x >>> 8)) & 0xffff;
}

/** The interleaved bits of two part numbers. `beyond` is added to the latitude's bits before the sum is rounded to a double. */
export function interleave(longitude: number, latitude: number, beyond = 0): number {
  return spread(longitude) * 2 + (spread(latitude) + beyond);
}

/** The score of a point on the map. */
export function geohashScore(longitude: number, latitude: number): number {
  return interleave(longitudePart(longitude, GEOHASH_STEPS), latitudePart(latitude, GEOHASH_STEPS));
}

/** Sets `out` to the middle of the cell that a score stands for. Any score stands for some point on the map. */
export function decodeScore(score: number, out: Point): void {
  let low = 0;
  let high = 0;
  // As a conversion to an unsigned integer of 64 bits does it on x86.
  if (score < TWO_63) {
    const whole = score < -TWO_63 ? -TWO_63 : Math.trunc(score);
    low = whole | 0;
    high = Math.floor(whole / TWO_32) | 0;
  } else if (score < 2 * TWO_63) {
    low = score | 0;
    high = Math.floor(score / TWO_32) | 0;
  }
  const latitude = ((gather16(high) << 16) | gather16(low)) >>> 0;
  const longitude = ((gather16(high >>> 1) << 16) | gather16(low >>> 1)) >>> 0;
  const east = longitudeOf((longitude + 1) >>> 0, GEOHASH_STEPS);
  const north = latitudeOf((latitude + 1) >>> 0, GEOHASH_STEPS);
  out.longitude = clamp((longitudeOf(longitude, GEOHASH_STEPS) + east) / 2, LONGITUDE_MIN, LONGITUDE_MAX);
  out.latitude = clamp((latitudeOf(latitude, GEOHASH_STEPS) + north) / 2, LATITUDE_MIN, LATITUDE_MAX);
}

function clamp(n: number, min: number, max: number): number {
  if (n > max) return max;
  return n < min ? min : n;
}

/**
 * Writes the customary geohash of a point on the map, 11 characters, at `dst[offset]`. That one counts latitudes from pole to pole. 52 bits make ten
 * characters; the eleventh is always 0.
 */
export function writeGeohash(dst: Uint8Array, offset: number, longitude: number, latitude: number): void {
  const longitudeBits = spread(longitudePart(longitude, GEOHASH_STEPS));
  const latitudeBits = spread(Math.floor(((latitude + 90) / 180) * 2 ** GEOHASH_STEPS));
  const bits = longitudeBits * 2 + latitudeBits;
  for (let i = 0; i < GEOHASH_TEXT_LENGTH - 1; i++) {
    const digit = Math.floor(bits / 2 ** (52 - (i + 1) * 5)) % 32;
    dst[offset + i] = ALPHABET.charCodeAt(digit);
  }
  dst[offset + GEOHASH_TEXT_LENGTH - 1] = ALPHABET.charCodeAt(0);
}

export function toRadians(degrees: number): number {
  return degrees * RADIANS_PER_DEGREE;
}

export function toDegrees(radians: number): number {
  return radians / RADIANS_PER_DEGREE;
}

/** The angle, in degrees, that so many meters on a great circle span. */
export function degreesOfArc(meters: number): number {
  return toDegrees(meters / EARTH_RADIUS_M);
}

/** Meters between two latitudes on a meridian. */
export function latitudeDistance(latitude1: number, latitude2: number): number {
  return EARTH_RADIUS_M * Math.abs(toRadians(latitude2) - toRadians(latitude1));
}

/** Meters between two points on the great circle, by the haversine formula. */
export function distance(longitude1: number, latitude1: number, longitude2: number, latitude2: number): number {
  const v = Math.sin((toRadians(longitude2) - toRadians(longitude1)) / 2);
  if (v === 0) return latitudeDistance(latitude1, latitude2);
  const from = toRadians(latitude1);
  const to = toRadians(latitude2);
  const u = Math.sin((to - from) / 2);
  const a = u * u + Math.cos(from) * Math.cos(to) * v * v;
  // Rounding may lead a little beyond 1 between points that are opposite each other.
  return 2 * EARTH_RADIUS_M * Math.asin(Math.sqrt(a > 1 ? 1 : a));
}
