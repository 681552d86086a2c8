// Numbers, sizes and times as people read them; addresses of pages.
import { describe, expect, test } from "vitest";
import * as format from "../../web/pure/format.ts";
import { hrefOf, parseRoute } from "../../web/pure/route.ts";

const plain = (text: string): string => text.replaceAll("\u00a0", " ");

describe("numbers", () => {
  test.each([
    [0, "0"],
    [0.123, "0.12"],
    [0.999, "1.0"],
    [7, "7"],
    [42.25, "42.3"],
    [99.96, "100"],
    [1_234, "1,234"],
    [9_999, "9,999"],
    [9_999.6, "10.0k"],
    [123_456, "123k"],
    [999_949, "1000k"],
    [999_951, "1.0M"],
    [999_960_000, "1.0G"],
    [-5_000_000, "-5M"],
    [Number.NaN, "–"],
  ])("%d is %s", (value, text) => expect(format.short(value)).toBe(text));

  test("whole ones, rates, sizes", () => {
    expect(format.count(1_234_567.4)).toBe("1,234,567");
    expect(format.count(Number.POSITIVE_INFINITY)).toBe("–");
    expect(format.perSecond(12)).toBe("12/s");
    expect([0, 1_023, 1_024, 1_536, 1_048_576, 1_023.6 * 1_024, 5e15].map(format.bytes).map(plain)).toEqual([
      "0 B",
      "1023 B",
      "1 KiB",
      "1.5 KiB",
      "1 MiB",
      "1.0 MiB",
      "4547 TiB",
    ]);
    expect(plain(format.bytesPerSecond(2_048))).toBe("2 KiB/s");
    expect(format.bytes(Number.NaN)).toBe("–");
  });
});

describe("times", () => {
  test("parts of a second", () => {
    expect([0, 0.000_25, 0.012, 0.9994, 1.5, Number.NaN].map(format.latency).map(plain)).toEqual([
      "0 ms",
      "250 µs",
      "12 ms",
      "999 ms",
      "1.5 s",
      "–",
    ]);
  });

  test("durations have the two largest units", () => {
    const seconds = [0, -3, 59.4, 60, 200, 3_600, 18_120, 86_400, 90_061, Number.POSITIVE_INFINITY];
    expect(seconds.map(format.duration).map(plain)).toEqual([
      "0 s",
      "0 s",
      "59 s",
      "1 min",
      "3 min 20 s",
      "1 h",
      "5 h 2 min",
      "1 d",
      "1 d 1 h",
      "for ever",
    ]);
  });

  test("moments, in the time zone of the reader; what is none is a dash", () => {
    const at = new Date(2026, 2, 4, 5, 6, 7).getTime();
    expect(format.clock(at)).toBe("05:06:07");
    expect(format.dateAndTime(at)).toBe("2026-03-04 05:06");
    expect(format.dateAndTime("never")).toBe("–");
    expect(plain(format.since(new Date(at).toISOString(), at + 61_000))).toBe("1 min 1 s");
    expect([format.since(undefined, at), format.since("never", at)]).toEqual(["–", "–"]);
  });
});

describe("addresses", () => {
  test("of a page, of something on it, with a question", () => {
    expect(parseRoute("")).toEqual({ page: "overview", rest: undefined, query: {} });
    expect(parseRoute("#/clients/a%2Fb%3Fc?sort=queued&x=1")).toEqual({
      page: "clients",
      rest: "a/b?c",
      query: { sort: "queued", x: "1" },
    });
    expect(parseRoute("#clients/").rest).toBeUndefined();
    expect(parseRoute("#/clients/%E0%A4%A").rest).toBe("%E0%A4%A");
  });

  test("lead back to where they were made from", () => {
    const awkward = "meter/7 #?&% é\u202e";
    const { page, rest, query } = parseRoute(hrefOf("clients", awkward, { topic: "a/#", none: undefined, empty: "" }));
    expect([page, rest, query]).toEqual(["clients", awkward, { topic: "a/#" }]);
    expect(hrefOf("clients")).toBe("#/clients");
  });
});
