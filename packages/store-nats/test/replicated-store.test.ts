// What every store has to do, with a stream that does all at once.
import { rmSync } from "node:fs";
import { describeStore, type StoreFixture } from "@wrenmq/store/testing";
import { ReplicatedStore } from "@wrenmq/store-nats";
import { directTo, FakeStream } from "./support/fake-stream.ts";
import { newFolder } from "./support/folders.ts";

/** Stores of one stream, each in a folder of its own: what is there comes from the stream. */
function place(longest: number, segmentBytes: number): () => StoreFixture {
  return () => {
    const stream = new FakeStream();
    const folders: string[] = [];
    return {
      make() {
        const directory = newFolder();
        folders.push(directory);
        return new ReplicatedStore({
          directory,
          stream: "WREN_test_J0",
          connection: directTo(stream, longest),
          replicas: 1,
          owner: `owner ${folders.length}`,
          segmentBytes,
          onDeposed: () => {},
        });
      },
      dispose() {
        for (const folder of folders) rmSync(folder, { recursive: true, force: true });
      },
    };
  };
}

describeStore("ReplicatedStore", place(1024 * 1024, 16 * 1024 * 1024), { runs: 60 });
// Nearly every batch begins a file and is longer than a message: cleaning, purging and parts are always under way.
describeStore("ReplicatedStore, tiny files and messages", place(200, 1), { runs: 60 });
