// Valid and invalid, matching and not: what sections 4.7 of both versions of the standard have in common.

export const validNames: readonly string[] = [
  "a",
  "/",
  "//",
  "a/b",
  "/a",
  "a/",
  " ",
  "$SYS/x",
  "$share/g",
  "ä/漢/😀",
  "a b/c",
];
export const namesWithWildcards: readonly string[] = ["+", "#", "a/+", "a/#", "a+", "+a/b", "a#b", "/#", "$SYS/#"];

export const multiLevelValid: readonly string[] = ["#", "a/#", "/#", "a/b/#", "$SYS/#", "//#", "+/#", "+/+/#"];
export const multiLevelInvalid: readonly string[] = [
  "a#",
  "#a",
  "a/#/b",
  "#/a",
  "#/",
  "a/b#",
  "##",
  "a/##",
  "+#",
  "#+",
  "/#/",
];

export const singleLevelValid: readonly string[] = [
  "+",
  "+/a",
  "a/+",
  "a/+/b",
  "/+",
  "+/",
  "+/+",
  "/+/",
  "$SYS/+",
  "+/a/#",
];
export const singleLevelInvalid: readonly string[] = ["a+", "+a", "a/b+/c", "a/+b", "++", "a/++/b", "+/a+", "a+/b"];

/** [filter, topic, whether they match] for topics and filters without "$". */
export const matches: readonly (readonly [string, string, boolean])[] = [
  ["sport/tennis/player1/#", "sport/tennis/player1", true],
  ["sport/tennis/player1/#", "sport/tennis/player1/ranking", true],
  ["sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true],
  ["sport/tennis/player1/#", "sport/tennis/player10", false],
  ["sport/#", "sport", true],
  ["sport/#", "sports", false],
  ["sport/#", "sport/", true],
  ["#", "a", true],
  ["#", "/", true],
  ["#", "/a/b", true],
  ["sport/tennis/+", "sport/tennis/player1", true],
  ["sport/tennis/+", "sport/tennis/player1/ranking", false],
  ["sport/tennis/+", "sport/tennis", false],
  ["sport/+", "sport", false],
  ["sport/+", "sport/", true],
  ["+", "finance", true],
  ["+", "/finance", false],
  ["+/+", "/finance", true],
  ["/+", "/finance", true],
  ["+/+/#", "a", false],
  ["+/+/#", "a/b", true],
  ["+/+/#", "/", true],
  ["a/+/c", "a/b/c", true],
  ["a/+/c", "a//c", true],
  ["a/+/c", "a/b/d", false],
  ["a/b", "a/b/", false],
  ["a/b/", "a/b", false],
  ["/a", "a", false],
];

/** [filter, topic, whether they match]: nothing is normalized. */
export const exactMatches: readonly (readonly [string, string, boolean])[] = [
  ["ACCOUNTS", "Accounts", false],
  ["Accounts payable", "Accounts payable", true],
  ["a b", "a  b", false],
  ["a ", "a", false],
  ["\u00e4", "a\u0308", false],
  ["a\u0308", "a\u0308", true],
  ["a//b", "a/b", false],
  ["\ufeffa", "a", false],
  ["\ufeffa", "\ufeffa", true],
  ["+", "\u{1f600}", true],
  ["a/./b", "a/b", false],
];

/** [filter, topic, whether they match]: topics that begin with "$". */
export const dollarMatches: readonly (readonly [string, string, boolean])[] = [
  ["#", "$SYS/x", false],
  ["#", "$", false],
  ["+", "$SYS", false],
  ["+/x", "$SYS/x", false],
  ["+/monitor/Clients", "$SYS/monitor/Clients", false],
  ["+/#", "$SYS/x", false],
  ["$SYS/#", "$SYS/monitor/Clients", true],
  ["$SYS/#", "$SYS", true],
  ["$SYS/monitor/+", "$SYS/monitor/Clients", true],
  ["$SYS/+", "$SYS/$x", true],
  ["a/+", "a/$x", true],
  ["a/#", "a/$x/y", true],
  ["/#", "/$x", true],
];
