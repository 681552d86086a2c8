// Entry point `@wrenmq/transport/memory`: connections without Node, in a browser too.
export { type MemoryPairOptions, memoryPair } from "./connections/memory.ts";
