// Follows the journal of a store into a stream: sends its frames, one message at a time, and says how far it has come.
import { StoreError } from "@wrenmq/store";
import type { JournalMirror } from "@wrenmq/store-file";
import type { Fence } from "../stream/fence.ts";
import { Stopped } from "../stream/fence.ts";
import { ownerIn } from "../stream/message.ts";
import { Outgoing } from "./outgoing.ts";
import type { Purger } from "./purger.ts";

export interface MirrorParts {
  /** Its last message is the owner's first one. */
  readonly fence: Fence;
  readonly purger: Purger;
  /** Of the stream, for errors. */
  readonly name: string;
  /** Bytes of a message. */
  readonly longest: number;
  /** Another owner has taken over. Called once. */
  deposed(error: StoreError): void;
}

interface Waiting {
  readonly position: number;
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: StoreError) => void;
}

export class Mirror implements JournalMirror {
  /** Why nothing is sent any more; undefined: frames are sent. */
  ended: StoreError | undefined;
  readonly #parts: MirrorParts;
  readonly #epoch: number;
  readonly #outgoing: Outgoing;
  /** Frames that were written, and how many of them the stream has. */
  #written = 0;
  #acknowledged = 0;
  /** Of messages. */
  #number = 0;
  /** Bytes of the parcel that is under way. */
  #underWay = 0;
  #isRunning = false;
  #waiting: Waiting[] = [];

  constructor(parts: MirrorParts) {
    this.#parts = parts;
    this.#epoch = parts.fence.last;
    this.#outgoing = new Outgoing(parts.longest);
  }

  /** Bytes that the stream does not have yet. */
  get bytes(): number {
    return this.#outgoing.bytes + this.#underWay;
  }

  /** Frames that the stream does not have yet. */
  get frames(): number {
    return this.#written - this.#acknowledged;
  }

  onFrame(payload: Buffer, file: number): void {
    if (this.ended !== undefined) return;
    this.#outgoing.add(payload, file, ++this.#written);
    if (this.#isRunning) return;
    this.#isRunning = true;
    // What is written in the same turn goes with the same message.
    queueMicrotask(() => void this.#run());
  }

  onDropped(file: number): void {
    if (this.ended === undefined) this.#parts.purger.dropped(file, this.#written);
  }

  /** Resolves when the stream has everything that was written so far; undefined: it has. */
  settled(): Promise<void> | undefined {
    if (this.ended !== undefined) return Promise.reject(this.ended);
    if (this.#acknowledged === this.#written) return undefined;
    const last = this.#waiting.at(-1);
    if (last?.position === this.#written) return last.promise;
    let resolve = (): void => {};
    let reject = (_error: StoreError): void => {};
    const promise = new Promise<void>((yes, no) => {
      resolve = yes;
      reject = no;
    });
    this.#waiting.push({ position: this.#written, promise, resolve, reject });
    return promise;
  }

  /** Nothing is sent any more, and nothing that waits will be acknowledged. */
  end(error: StoreError): void {
    if (this.ended !== undefined) return;
    this.ended = error;
    this.#parts.fence.stop();
    this.#outgoing.clear();
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  async #run(): Promise<void> {
    const { fence, purger } = this.#parts;
    for (let parcel = this.#outgoing.take(); parcel !== undefined; parcel = this.#outgoing.take()) {
      this.#underWay = parcel.length;
      const begin = fence.last + 1;
      for (const message of this.#outgoing.messages(parcel, this.#epoch, this.#number + 1)) {
        if (!(await this.#send(message))) return;
        this.#number++;
      }
      this.#underWay = 0;
      for (const file of parcel.files) purger.begins(file, begin);
      this.#acknowledge(parcel.position);
    }
    this.#isRunning = false;
  }

  /** @returns false: that was the end */
  async #send(message: Uint8Array): Promise<boolean> {
    try {
      const outcome = await this.#parts.fence.append(message);
      // An acknowledgement that comes after the end is none.
      if (this.ended !== undefined) return false;
      if (outcome.is === "appended") return true;
      const owner = outcome.by === undefined ? undefined : ownerIn(outcome.by);
      const who = owner === undefined ? "another owner" : `owner ${JSON.stringify(owner)}`;
      const error = new StoreError("ERR_STORE_DEPOSED", `${who} has taken over stream ${this.#parts.name}`);
      this.end(error);
      this.#parts.deposed(error);
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    }
    return false;
  }

  #acknowledge(position: number): void {
    this.#acknowledged = position;
    this.#parts.purger.acknowledged(position);
    let count = 0;
    while (count < this.#waiting.length && (this.#waiting[count] as Waiting).position <= position) count++;
    for (const { resolve } of this.#waiting.splice(0, count)) resolve();
  }
}
