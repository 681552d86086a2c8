// What the header of a trace says about the program that wrote it.
import { VERSION } from "@wrenmq/broker";
import { TRACE_VERSION } from "../trace/records.ts";

export const VERSION_OF_BROKER = { trace: TRACE_VERSION, broker: VERSION } as const;
