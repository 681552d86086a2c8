import { MemoryStore } from "@wrenmq/store";
import { describeStore } from "@wrenmq/store/testing";

describeStore("MemoryStore", () => {
  const store = new MemoryStore();
  return { make: () => store, dispose: () => {} };
});
