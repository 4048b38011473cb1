// The geospatial commands, as dialogues: shapes of replies, number forms, errors, storing, events, propagation. The known answers are those of the
// places in the Redis documentation.

import { expect, setDefaultTimeout, test } from "bun:test";
import { distance, isOnMap, LATITUDE_MAX } from "../../src/base/geohash.ts";
import { Target } from "../../src/engine/propagation.ts";
import { seededTest } from "../base/seeded.ts";
import { type TestServer, testServer, transcript } from "../support/engine.ts";
import { formatReply } from "../support/transcript-reply.ts";

// An arena that needs its first large segment may wait for seconds until the system has cleared it.
setDefaultTimeout(60_000);

const SICILY = "GEOADD Sicily 13.361389 38.115556 Palermo 15.087269 37.502669 Catania";

/** Members in a table instead of a listpack. */
function tableServer(): TestServer {
  const server = testServer();
  server.connect().line("CONFIG SET zset-max-listpack-entries 0");
  return server;
}

function propagated(server: TestServer): string[] {
  const lines: string[] = [];
  server.engine.sinks.push({
    targets: Target.All,
    propagate(_dbId, bytes, offset, length) {
      const parts = Buffer.from(bytes.subarray(offset, offset + length))
        .toString("latin1")
        .split("\r\n");
      lines.push(parts.filter((_, i) => i > 0 && i % 2 === 0).join(" "));
    },
  });
  return lines;
}

for (const [name, server] of [
  ["listpack", testServer],
  ["skiplist", tableServer],
] as const) {
  test(`places and distances, ${name}`, () => {
    transcript(
      `
      > ${SICILY}
      (integer) 2
      > OBJECT ENCODING Sicily
      ${name}
      > GEODIST Sicily Palermo Catania
      166274.1516
      > GEODIST Sicily Palermo Catania KM
      166.2742
      > GEODIST Sicily Palermo Catania mi
      103.3182
      > GEODIST Sicily Palermo Nowhere
      (nil)
      > GEODIST none Palermo Catania
      (nil)
      > GEOHASH Sicily Palermo Catania Nowhere
      1) sqc8b49rny0
      2) sqdtr74hyu0
      3) (nil)
      > GEOPOS Sicily Palermo Nowhere
      1)    1) 13.36138933897018433
         2) 38.11555639549629859
      2) (nil)
      > ZSCORE Sicily Palermo
      3479099956230698
      `,
      server(),
    );
  });

  test(`searches by circle and box, ${name}`, () => {
    transcript(
      `
      > ${SICILY}
      (integer) 2
      > GEOADD Sicily 12.758489 38.788135 edge1 17.241510 38.788135 edge2
      (integer) 2
      > GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS 200 km ASC
      1) Catania
      2) Palermo
      > GEOSEARCH Sicily FROMLONLAT 15 37 BYBOX 400 400 km ASC WITHCOORD WITHDIST
      1)    1) Catania
         2) 56.4413
         3)       1) 15.08726745843887329
            2) 37.50266842333162032
      2)    1) Palermo
         2) 190.4424
         3)       1) 13.36138933897018433
            2) 38.11555639549629859
      3)    1) edge2
         2) 279.7403
         3)       1) 17.24151045083999634
            2) 38.78813451624225195
      4)    1) edge1
         2) 279.7405
         3)       1) 12.7584877610206604
            2) 38.78813451624225195
      > GEOSEARCH Sicily BYRADIUS 200 km FROMMEMBER Catania DESC WITHHASH
      1)    1) Palermo
         2) (integer) 3479099956230698
      2)    1) Catania
         2) (integer) 3479447370796909
      > GEOSEARCH Sicily FROMLONLAT 15 37 BYBOX 400 400 km COUNT 1
      1) Catania
      > GEOSEARCH Sicily FROMLONLAT 15 37 BYBOX 400 400 km COUNT 1 DESC
      1) edge1
      > GEORADIUS Sicily 15 37 200 km WITHDIST DESC
      1)    1) Palermo
         2) 190.4424
      2)    1) Catania
         2) 56.4413
      > GEORADIUS_RO Sicily 15 37 100 km
      1) Catania
      > GEORADIUSBYMEMBER Sicily Palermo 170 km ASC
      1) Palermo
      2) edge1
      3) Catania
      > GEORADIUSBYMEMBER_RO Sicily Palermo 1 ft
      1) Palermo
      > GEOSEARCH Sicily FROMLONLAT 0 0 BYRADIUS 1 m
      (empty array)
      `,
      server(),
    );
  });

  test(`results are stored, ${name}`, () => {
    transcript(
      `
      > ${SICILY}
      (integer) 2
      > GEOSEARCHSTORE near Sicily FROMLONLAT 15 37 BYRADIUS 200 km
      (integer) 2
      > ZRANGE near 0 -1 WITHSCORES
      1) Palermo
      2) 3479099956230698
      3) Catania
      4) 3479447370796909
      > GEOSEARCHSTORE near Sicily FROMMEMBER Palermo BYBOX 1 1 km STOREDIST
      (integer) 1
      > ZRANGE near 0 -1 WITHSCORES
      1) Palermo
      2) 0
      > OBJECT ENCODING near
      ${name}
      > GEORADIUS Sicily 15 37 200 km STORE x STOREDIST near COUNT 1
      (integer) 1
      > ZRANGE near 0 -1
      1) Catania
      > EXISTS x
      (integer) 0
      > GEORADIUSBYMEMBER Sicily Catania 200 km STORE Sicily ASC COUNT 1
      (integer) 1
      > ZRANGE Sicily 0 -1
      1) Catania
      > GEOSEARCHSTORE near Sicily FROMLONLAT 0 0 BYRADIUS 1 m
      (integer) 0
      > EXISTS near
      (integer) 0
      > SET near v
      OK
      > GEOSEARCHSTORE near none FROMMEMBER x BYRADIUS 1 m
      (integer) 0
      > EXISTS near
      (integer) 0
      `,
      server(),
    );
  });
}

test("GEOADD with its options, and what it refuses", () => {
  transcript(`
    > GEOADD g NX CH 1 1 a 2 2 b
    (integer) 2
    > GEOADD g NX 3 3 a
    (integer) 0
    > GEOADD g XX CH 3 3 a 4 4 c
    (integer) 1
    > GEOADD none XX 1 1 a
    (integer) 0
    > EXISTS none
    (integer) 0
    > GEOADD g NX XX 1 1 a
    (error) ERR syntax error
    > GEOADD g 1 1
    (error) ERR wrong number of arguments for 'geoadd' command
    > GEOADD g 1 1 a 2
    (error) ERR syntax error
    > GEOADD g NX CH CH
    (error) ERR syntax error
    > GEOADD g x 1 a
    (error) ERR value is not a valid float
    > GEOADD g 181 1 a
    (error) ERR invalid longitude,latitude pair 181.000000,1.000000
    > GEOADD g 1 -85.06 a
    (error) ERR invalid longitude,latitude pair 1.000000,-85.060000
    > GEOADD g 200.0078125 -inf a
    (error) ERR invalid longitude,latitude pair 200.007812,-inf
    > GEOADD g 1e22 0 a
    (error) ERR invalid longitude,latitude pair 10000000000000000000000.000000,0.000000
    > SET s v
    OK
    > GEOADD s 1 1 a
    (error) WRONGTYPE Operation against a key holding the wrong kind of value
    > GEOPOS s a
    (error) WRONGTYPE Operation against a key holding the wrong kind of value
    > GEOSEARCH s FROMLONLAT x x BYRADIUS 1 m
    (error) WRONGTYPE Operation against a key holding the wrong kind of value
  `);
});

test("what searches refuse", () => {
  transcript(`
    > ${SICILY}
    (integer) 2
    > GEODIST Sicily Palermo Catania x
    (error) ERR unsupported unit provided. please use M, KM, FT, MI
    > GEODIST Sicily Palermo Catania m m
    (error) ERR syntax error
    > GEOSEARCH Sicily FROMMEMBER x BYRADIUS 1 m
    (error) ERR could not decode requested zset member
    > GEOSEARCH Sicily FROMLONLAT 1 1 BYRADIUS x m
    (error) ERR need numeric radius
    > GEOSEARCH Sicily FROMLONLAT 1 1 BYRADIUS -1 m
    (error) ERR radius cannot be negative
    > GEOSEARCH Sicily FROMLONLAT 1 1 BYBOX x 1 m
    (error) ERR need numeric width
    > GEOSEARCH Sicily FROMLONLAT 1 1 BYBOX 1 x m
    (error) ERR need numeric height
    > GEOSEARCH Sicily FROMLONLAT 1 1 BYBOX 1 -1 m
    (error) ERR height or width cannot be negative
    > GEOSEARCH Sicily FROMLONLAT 1 1 BYBOX 1 1 x
    (error) ERR unsupported unit provided. please use M, KM, FT, MI
    > GEOSEARCH Sicily FROMLONLAT 1 1 FROMMEMBER Palermo BYBOX 1 1 m
    (error) ERR syntax error
    > GEOSEARCH Sicily FROMLONLAT 1 1 BYBOX 1 1 m BYRADIUS 1 m
    (error) ERR syntax error
    > GEOSEARCH Sicily BYRADIUS 1 m ASC ASC
    (error) ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for GEOSEARCH
    > geosearch Sicily FROMMEMBER Palermo ASC ASC ASC
    (error) ERR exactly one of BYRADIUS and BYBOX can be specified for geosearch
    > GEOSEARCH Sicily FROMMEMBER Palermo BYRADIUS 1 m COUNT 0
    (error) ERR COUNT must be > 0
    > GEOSEARCH Sicily FROMMEMBER Palermo BYRADIUS 1 m COUNT x
    (error) ERR value is not an integer or out of range
    > GEOSEARCH Sicily FROMMEMBER Palermo BYRADIUS 1 m ANY
    (error) ERR the ANY argument requires COUNT argument
    > GEOSEARCH Sicily FROMMEMBER Palermo BYRADIUS 1 m STORE x
    (error) ERR syntax error
    > GEOSEARCHSTORE x Sicily FROMMEMBER Palermo BYRADIUS 1 m WITHDIST
    (error) ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options
    > GEORADIUS Sicily 1 1 1 m STORE x WITHHASH
    (error) ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options
    > GEORADIUS_RO Sicily 1 1 1 m STORE x
    (error) ERR syntax error
    > GEORADIUSBYMEMBER none x y z
    (empty array)
    > GEOSEARCH none FROMMEMBER x BYRADIUS 1 m
    (empty array)
  `);
});

test("RESP3: coordinates are doubles, distances are bulk strings", () => {
  const client = testServer().connect();
  client.line("HELLO 3");
  client.line(SICILY);
  const text = (...args: string[]) => Buffer.from(client.raw(...args)).toString("latin1");
  expect(text("GEOPOS", "Sicily", "Palermo", "x")).toBe(
    "*2\r\n*2\r\n,13.36138933897018433\r\n,38.11555639549629859\r\n_\r\n",
  );
  expect(text("GEOHASH", "Sicily", "Palermo", "x")).toBe("*2\r\n$11\r\nsqc8b49rny0\r\n_\r\n");
  expect(text("GEODIST", "Sicily", "Palermo", "Catania")).toBe("$11\r\n166274.1516\r\n");
  expect(text("GEODIST", "Sicily", "Palermo", "x")).toBe("_\r\n");
  expect(text("GEOSEARCH", "Sicily", "FROMMEMBER", "Palermo", "BYRADIUS", "1", "m", "WITHDIST", "WITHHASH")).toBe(
    "*1\r\n*3\r\n$7\r\nPalermo\r\n$6\r\n0.0000\r\n:3479099956230698\r\n",
  );
});

test("searches by polygon", () => {
  const client = testServer().connect();
  client.line("GEOADD p 1 1 inside 3 1 notch 5 1 right 3 4 top 9 9 outside");
  // A square from (0, 0) to (6, 6) with a notch cut into its southern side.
  const polygon = "BYPOLYGON 7 0 0 2 0 3 3 4 0 6 0 6 6 0 6";
  expect(client.line(`GEOSEARCH p ${polygon} ASC`)).toBe("1) top\n2) right\n3) inside");
  expect(client.line(`GEOSEARCH p ${polygon} COUNT 1 WITHDIST`)).toMatch(/^1\) +1\) top\n +2\) \d+\.\d{4}$/);
  expect(client.line(`GEOSEARCHSTORE d p ${polygon} STOREDIST`)).toBe("(integer) 3");
  for (const [args, error] of [
    ["BYPOLYGON 2 0 0 1 1", "ERR GEOSEARCH BYPOLYGON must have at least 3 vertices"],
    ["BYPOLYGON 3 0 0 1 1 2", "ERR GEOSEARCH BYPOLYGON must have at least 3 vertices"],
    ["BYPOLYGON x 0 0 1 1 2 2", "ERR invalid number of vertices"],
    ["BYPOLYGON 3 0 0 1 1 2 222", "ERR invalid longitude,latitude pair 2.000000,222.000000"],
    ["BYPOLYGON 3 0 0 1 1 2 2 BYRADIUS 1 m", "ERR syntax error"],
    ["BYRADIUS 1 m BYPOLYGON 3 0 0 1 1 2 2", "ERR syntax error"],
    ["BYBOX 1 1 m BYPOLYGON 3 0 0 1 1 2 2", "ERR syntax error"],
    ["BYPOLYGON 3 0 0 1 1 2 2 FROMLONLAT 1 1", "ERR syntax error"],
    ["FROMMEMBER inside BYPOLYGON 3 0 0 1 1 2 2", "ERR syntax error"],
  ] as const)
    expect(client.line(`GEOSEARCH p ${args}`)).toBe(`(error) ${error}`);
});

test("the distance from the middle of a polygon, as Valkey has it", () => {
  const client = testServer().connect();
  client.line("GEOADD p 151.20932132005692 -33.877723137822436 a 151.2119820713997 -33.87697539508043 b");
  client.line("GEOADD p 151.22852593660355 -33.88116782387797 c 151.22953444719315 -33.874838625143106 d");
  const vertices = [
    "151.21619137411474 -33.869643764947696 151.20408853981647 -33.87845382042545 151.2123775086366 -33.87864711938855",
    "151.21046943124387 -33.87588862400425 151.21701035939626 -33.874286511854834 151.2239557405701 -33.8735722632175",
    "151.22495056246407 -33.87893571656996 151.2274447496748 -33.882307713036354 151.23212935868654 -33.88136096120022",
    "151.23097291274465 -33.87456240592362 151.22475424781445 -33.87099633192101",
  ];
  const reply = client.line(`GEOSEARCH p BYPOLYGON 11 ${vertices.join(" ")} WITHDIST ASC`);
  expect(reply.match(/[a-d]|\d+\.\d+/g)).toEqual(["d", "858.3013", "c", "929.4979", "a", "1035.7735"]);
});

test("GEOADD is propagated as ZADD, searches that store as they are", () => {
  const server = testServer();
  const client = server.connect();
  const lines = propagated(server);
  client.line(SICILY);
  client.line("GEOADD Sicily NX 13.361389 38.115556 Palermo");
  client.line("GEOADD Sicily XX CH 13 38 Palermo");
  client.line("GEOSEARCHSTORE d Sicily FROMMEMBER Palermo BYRADIUS 1 m");
  client.line("GEORADIUS Sicily 0 0 1 m STORE d");
  client.line("GEORADIUS Sicily 0 0 1 m STORE d");
  expect(lines).toEqual([
    "zadd Sicily 3479099956230698 Palermo 3479447370796909 Catania",
    "zadd Sicily XX CH 3479065152021743 Palermo",
    "GEOSEARCHSTORE d Sicily FROMMEMBER Palermo BYRADIUS 1 m",
    "GEORADIUS Sicily 0 0 1 m STORE d",
  ]);
});

test("keyspace events", () => {
  const server = testServer();
  const client = server.connect();
  const listener = server.connect();
  client.line("CONFIG SET notify-keyspace-events KA");
  listener.line("PSUBSCRIBE __keyspace@0__:*");
  client.line(SICILY);
  client.line("GEOSEARCHSTORE d Sicily FROMMEMBER Palermo BYRADIUS 1 m");
  client.line("GEORADIUS Sicily 15 37 200 km STORE d");
  client.line("GEORADIUS Sicily 0 0 1 m STORE d");
  const events = listener.pushed().map((message) => formatReply(message).split("\n").slice(2).join(" "));
  expect(events).toEqual([
    "3) __keyspace@0__:Sicily 4) zadd",
    "3) __keyspace@0__:d 4) geosearchstore",
    "3) __keyspace@0__:d 4) georadiusstore",
    "3) __keyspace@0__:d 4) del",
  ]);
});

seededTest("searches find what a look at every place finds", (random) => {
  const server = random.below(2) === 0 ? testServer() : tableServer();
  const client = server.connect();
  const places: [string, number, number][] = [];
  for (let i = 0; i < 400; i++) {
    const longitude = (random.below(3_600_001) - 1_800_000) / 10_000;
    const latitude = (random.below(1_600_001) - 800_000) / 10_000;
    client.send("GEOADD", "g", longitude, latitude, `m${i}`);
    const [x, y] = client.line(`GEOPOS g m${i}`).match(/-?\d+\.\d+/g)!;
    places.push([`m${i}`, Number(x), Number(y)]);
  }
  for (let round = 0; round < 60; round++) {
    const [, longitude, latitude] = places[random.below(places.length)]!;
    const radiusM = random.below(3_000_000);
    expect(isOnMap(longitude, latitude) && latitude < LATITUDE_MAX).toBe(true);
    // Near the edge of the map the cells do not go round it.
    const reach =
      (radiusM / 111_000) * (1 / Math.cos((Math.min(84, Math.abs(latitude) + radiusM / 111_000) * Math.PI) / 180));
    if (Math.abs(longitude) + reach > 180 || Math.abs(latitude) + radiusM / 111_000 > 84) continue;
    const expected = places
      .map(([name, x, y]) => [name, distance(longitude, latitude, x, y)] as const)
      .filter(([, meters]) => meters <= radiusM)
      .sort(([, a], [, b]) => a - b)
      .map(([name]) => name);
    const found = client.line(`GEOSEARCH g FROMLONLAT ${longitude} ${latitude} BYRADIUS ${radiusM} m ASC`);
    expect(found.split("\n").map((line) => line.replace(/^\d+\) /, ""))).toEqual(expected);
  }
});
