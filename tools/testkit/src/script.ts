// Scenario scripts, as bytes on a wire that anyone can add to:
//
//   rx  10 0c 00 04 'MQTT' 04 02 00 00 00 00     what the server receives
//   tx  20 02 00 00                              what it must have sent by now, exactly
//   at  +30s                                     time passes
//   close                                        the server has ended the connection
//   open                                         it has not
//   cut                                          the network is gone; `rx` goes to a new connection
//   #   a comment
import { hex } from "./hex.ts";

export type Step =
  | { readonly do: "rx" | "tx"; readonly bytes: Uint8Array; readonly line: number }
  | { readonly do: "at"; readonly milliseconds: number; readonly line: number }
  | { readonly do: "close" | "open" | "cut"; readonly line: number };

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** @throws Error naming the line that cannot be parsed */
export function parseScript(script: string): Step[] {
  const steps: Step[] = [];
  for (const [index, whole] of script.split("\n").entries()) {
    const line = index + 1;
    const text = whole.replace(/#.*$/, "").trim();
    if (text === "") continue;
    const [word = "", rest = ""] = text.split(/\s+(.*)/s);
    if (word === "rx" || word === "tx") steps.push({ do: word, bytes: hex(rest), line });
    else if (word === "close" || word === "open" || word === "cut") steps.push({ do: word, line });
    else if (word === "at") {
      const found = /^\+(\d+)(ms|s|m|h)$/.exec(rest);
      if (found === null) throw new Error(`line ${line}: "${rest}" is not a time like +30s`);
      steps.push({ do: "at", milliseconds: Number(found[1]) * UNITS[found[2] as keyof typeof UNITS], line });
    } else throw new Error(`line ${line}: "${word}" is not a word of scripts`);
  }
  return steps;
}

/** What a script runs on. */
export interface Stage {
  receive(bytes: Uint8Array): void;
  /** The bytes that were sent since the last call. */
  sent(): Uint8Array;
  pass(milliseconds: number): void;
  readonly isOpen: boolean;
  cut(): void;
}

/**
 * @param pieces how the bytes of each `rx` are split: not at all, or into pieces of this size
 * @throws Error naming the line where something else happened
 */
export function play(steps: readonly Step[], stage: Stage, pieces: number = Number.POSITIVE_INFINITY): void {
  for (const step of steps) {
    if (step.do === "rx") {
      for (let start = 0; start < step.bytes.length; start += pieces) {
        stage.receive(step.bytes.subarray(start, Math.min(step.bytes.length, start + pieces)));
      }
    } else if (step.do === "tx") {
      const sent = stage.sent();
      if (sent.length !== step.bytes.length || sent.some((byte, index) => byte !== step.bytes[index])) {
        throw new Error(`line ${step.line}: sent ${readable(sent)} instead of ${readable(step.bytes)}`);
      }
    } else if (step.do === "at") stage.pass(step.milliseconds);
    else if (step.do === "cut") stage.cut();
    else if (stage.isOpen !== (step.do === "open")) {
      throw new Error(`line ${step.line}: the connection is ${stage.isOpen ? "open" : "closed"}`);
    }
  }
  const rest = stage.sent();
  if (rest.length > 0) throw new Error(`at the end: sent ${readable(rest)} besides`);
}

function readable(bytes: Uint8Array): string {
  return bytes.length === 0 ? "nothing" : Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
