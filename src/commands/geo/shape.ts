/**
 * The shape of a search: a circle, a box, or a polygon, whose sides are straight lines on the map. A box is as wide, at the latitude of each point in
 * question, as it says; it has no corners on a map with angles.
 */
import {
  degreesOfArc,
  distance,
  LATITUDE_MAX,
  LATITUDE_MIN,
  LONGITUDE_MAX,
  LONGITUDE_MIN,
  latitudeDistance,
  type Point,
  toDegrees,
  toRadians,
} from "../../base/geohash.ts";

export const ShapeKind = { None: 0, Circle: 1, Box: 2, Polygon: 3 } as const;
export type ShapeKind = (typeof ShapeKind)[keyof typeof ShapeKind];

export class Shape {
  kind: ShapeKind = ShapeKind.None;
  /** Where distances are measured from. */
  readonly center: Point = { longitude: 0, latitude: 0 };
  /** Meters in the unit that the search was put in. */
  unitM = 1;
  /** Of a circle, in meters. */
  radiusM = 0;
  /** Of a box, in meters. */
  widthM = 0;
  heightM = 0;
  /** Of a polygon: its vertices, longitude and latitude by turns. */
  vertices: Float64Array = new Float64Array(0);

  /** The box on the map that the shape fits into, and the radius of a circle around the center that it fits into: set by measure(). */
  west = 0;
  south = 0;
  east = 0;
  north = 0;
  reachM = 0;

  /** Sets the bounding box and the reach; of a polygon, the center too, which is the mean of its vertices on the globe. */
  measure(): void {
    if (this.kind === ShapeKind.Polygon) {
      this.#measurePolygon();
      return;
    }
    const { heightM, kind, radiusM, widthM } = this;
    const { latitude, longitude } = this.center;
    const isCircle = kind === ShapeKind.Circle;
    const halfHeightM = isCircle ? radiusM : heightM / 2;
    const halfWidthM = isCircle ? radiusM : widthM / 2;
    const latitudeDelta = degreesOfArc(halfHeightM);
    // Degrees of longitude are shortest at the edge that is nearer to a pole. Redis measures at the other one in the south.
    const edge = latitude < 0 ? latitude - latitudeDelta : latitude + latitudeDelta;
    const longitudeDelta = degreesOfArc(halfWidthM) / Math.cos(toRadians(edge));
    this.west = longitude - longitudeDelta;
    this.east = longitude + longitudeDelta;
    this.south = latitude - latitudeDelta;
    this.north = latitude + latitudeDelta;
    this.reachM = isCircle ? radiusM : Math.sqrt(halfWidthM * halfWidthM + halfHeightM * halfHeightM);
  }

  #measurePolygon(): void {
    const { center, vertices } = this;
    let x = 0;
    let y = 0;
    let z = 0;
    this.west = LONGITUDE_MAX;
    this.east = LONGITUDE_MIN;
    this.south = LATITUDE_MAX;
    this.north = LATITUDE_MIN;
    for (let i = 0; i < vertices.length; i += 2) {
      this.west = Math.min(this.west, vertices[i]);
      this.east = Math.max(this.east, vertices[i]);
      this.south = Math.min(this.south, vertices[i + 1]);
      this.north = Math.max(this.north, vertices[i + 1]);
      const longitude = toRadians(vertices[i]);
      const latitude = toRadians(vertices[i + 1]);
      x += Math.cos(latitude) * Math.cos(longitude);
      y += Math.cos(latitude) * Math.sin(longitude);
      z += Math.sin(latitude);
    }
    center.longitude = toDegrees(Math.atan2(y, x));
    // Vertices all around a pole have their mean near it, where the map has ended.
    const mean = toDegrees(Math.atan2(z, Math.sqrt(x * x + y * y)));
    center.latitude = Math.min(LATITUDE_MAX, Math.max(LATITUDE_MIN, mean));
    this.reachM = Math.max(
      this.distanceTo(this.west, this.north),
      this.distanceTo(this.east, this.north),
      this.distanceTo(this.west, this.south),
      this.distanceTo(this.east, this.south),
    );
  }

  /** Meters from the center to a point. */
  distanceTo(longitude: number, latitude: number): number {
    return distance(this.center.longitude, this.center.latitude, longitude, latitude);
  }

  /** Meters from the center to a point of the shape, or NaN when the point is outside. */
  distanceWithin(longitude: number, latitude: number): number {
    const { center, kind } = this;
    if (kind === ShapeKind.Circle) {
      const meters = this.distanceTo(longitude, latitude);
      return meters > this.radiusM ? Number.NaN : meters;
    }
    if (kind === ShapeKind.Polygon)
      return this.#encloses(longitude, latitude) ? this.distanceTo(longitude, latitude) : Number.NaN;
    if (latitudeDistance(latitude, center.latitude) > this.heightM / 2) return Number.NaN;
    if (distance(longitude, latitude, center.longitude, latitude) > this.widthM / 2) return Number.NaN;
    return this.distanceTo(longitude, latitude);
  }

  /** True when a ray from the point to the east crosses an odd number of sides. */
  #encloses(longitude: number, latitude: number): boolean {
    const { vertices } = this;
    let inside = false;
    for (let i = 0, j = vertices.length - 2; i < vertices.length; j = i, i += 2) {
      const north = vertices[i + 1];
      const south = vertices[j + 1];
      if (north > latitude === south > latitude) continue;
      const crossing = ((vertices[j] - vertices[i]) * (latitude - north)) / (south - north) + vertices[i];
      if (longitude < crossing) inside = !inside;
    }
    return inside;
  }
}
