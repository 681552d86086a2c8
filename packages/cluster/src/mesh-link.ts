// One connection to one peer: reads and writes frames, with one write per turn of the event loop.
import { encodeUtf8, MqttError } from "@wrenmq/codec";
import { type Message, type Millis, Outbox, type OutboxOwner } from "@wrenmq/protocol";
import type { Connection, ConnectionHandler } from "@wrenmq/transport";
import type { ForwardTarget, LocalNode } from "./cluster-bus.ts";
import { malformed } from "./errors.ts";
import { ForwardResult } from "./forward-result.ts";
import type { Greeting, LinkEvents, LinkedPeer } from "./link-events.ts";
import type { Origin, Parcel } from "./parcel.ts";
import type { RelayLink, RelaySide } from "./relay.ts";
import { FieldReader, putBytes, putUint16, putUint32 } from "./wire/fields.ts";
import { ForwardReader, writeForward } from "./wire/forward-frame.ts";
import { FRAME_HEAD, FrameType, WIRE_VERSION } from "./wire/frame-type.ts";
import { MeshFrameReader } from "./wire/mesh-frame-reader.ts";
import { originsBody, readOrigins } from "./wire/origins-frame.ts";
import { openingFromText, openingToText, type RelayOpening } from "./wire/relay-info.ts";

/** Bytes that may wait for a peer that does not read. */
const HIGH_WATER = 2 * 1024 * 1024;

export class MeshLink implements ConnectionHandler, OutboxOwner, RelayLink {
  readonly outbox: Outbox;
  readonly relays: Map<number, RelaySide> = new Map();
  /** The peer at the other end; known after its greeting. Owned by the bus. */
  peer: LinkedPeer | undefined = undefined;
  readonly #connection: Connection;
  readonly #node: LocalNode;
  readonly #events: LinkEvents<MeshLink>;
  readonly #frames = new MeshFrameReader();
  readonly #fields = new FieldReader();
  readonly #forward: ForwardReader;
  /** The origins that were sent to the peer, in that order. */
  #origins: readonly Origin[] = [];
  /** Called, in order, when the peer has passed a barrier, or the link is lost. */
  #barriers: (() => void)[] = [];
  /** Results that are sent as one frame: their number, when they are equal and in sequence. */
  #answers = 0;
  #firstAnswer = 0;
  #answer: ForwardResult = ForwardResult.Nobody;
  #now: Millis = 0;
  #writing = false;
  #greeted = false;
  #over = false;

  constructor(connection: Connection, node: LocalNode, events: LinkEvents<MeshLink>) {
    this.#connection = connection;
    this.#node = node;
    this.#events = events;
    this.outbox = new Outbox(node.arena, this);
    this.#forward = new ForwardReader(node.topics);
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** Has the peer stopped reading, with many bytes waiting? */
  get congested(): boolean {
    return this.outbox.inTransit > 0 && this.outbox.backlog > HIGH_WATER;
  }

  // ── transport events ──────────────────────────────────────────────────────────────────────────────────────────────

  data(bytes: Uint8Array, start: number, end: number): void {
    const frames = this.#frames;
    this.#now = this.#node.now();
    try {
      frames.push(bytes, start, end);
      while (!this.#over && frames.next()) this.#received(frames.type, frames.bytes, frames.start, frames.end);
    } catch (error) {
      this.fail(error instanceof Error ? error : malformed(String(error)));
    }
  }

  drain(): void {
    this.#writing = false;
    this.outbox.drained();
    this.flush();
    if (!this.#over) this.#events.drained(this);
  }

  closed(error: Error | undefined): void {
    this.#finish(error);
  }

  /** The peer broke the protocol, or another link replaces this one. */
  fail(error: Error | undefined): void {
    this.#finish(error);
    this.#connection.destroy();
  }

  /** Sends what waits, then closes. */
  end(): void {
    this.flush();
    this.#connection.end();
  }

  // ── output ────────────────────────────────────────────────────────────────────────────────────────────────────────

  outputReady(): void {
    this.#node.flushLater(this);
  }

  outputLarge(): void {
    this.flush();
  }

  flush(): void {
    const { outbox } = this;
    if (this.#over) {
      outbox.discard();
      return;
    }
    if (this.#answers > 0) this.#writeAnswers();
    if (this.#writing || outbox.pending === 0) return;
    const consumed = this.#connection.write(outbox.take());
    outbox.taken(consumed);
    this.#writing = !consumed;
  }

  greet({ id, count, durable }: Greeting): void {
    const at = this.#begin(FrameType.Hello, 6);
    const { bytes } = this.outbox;
    bytes[at] = WIRE_VERSION;
    putUint16(bytes, at + 1, id);
    putUint16(bytes, at + 3, count);
    bytes[at + 5] = durable ? 1 : 0;
  }

  tellOrigins(origins: readonly Origin[]): void {
    this.#origins = origins;
    const body = originsBody(origins);
    const at = this.#begin(FrameType.Origins, body.length);
    putBytes(this.outbox.bytes, at, body);
  }

  setRoute(filter: string, durable: boolean): void {
    const text = encodeUtf8(filter);
    const at = this.#begin(FrameType.RouteSet, 1 + text.length);
    this.outbox.bytes[at] = durable ? 1 : 0;
    putBytes(this.outbox.bytes, at + 1, text);
  }

  removeRoute(filter: string): void {
    const text = encodeUtf8(filter);
    const at = this.#begin(FrameType.RouteRemoved, text.length);
    putBytes(this.outbox.bytes, at, text);
  }

  setGroup(filter: string, connected: number, members: number, durable: boolean): void {
    const text = encodeUtf8(filter);
    const at = this.#begin(FrameType.GroupSet, 9 + text.length);
    const { bytes } = this.outbox;
    bytes[at] = durable ? 1 : 0;
    putBytes(bytes, putUint32(bytes, putUint32(bytes, at + 1, connected), members), text);
  }

  endRoutes(): void {
    this.#begin(FrameType.RoutesEnd, 0);
  }

  endRetained(): void {
    this.#begin(FrameType.RetainedEnd, 0);
  }

  barrier(passed: () => void): void {
    this.#barriers.push(passed);
    this.#begin(FrameType.Barrier, 0);
  }

  /** This broker ends. @param passed the peer sends nothing more, and what it has sent before is here */
  leave(passed: () => void): void {
    this.#begin(FrameType.Leaving, 0);
    this.barrier(passed);
  }

  forward(message: Message, target: ForwardTarget, sequence: number): void {
    if (!this.#over) writeForward(this.outbox, message, target, sequence);
  }

  handOver({ message, origin, number }: Parcel, target: ForwardTarget, sequence: number): void {
    if (this.#over) return;
    writeForward(this.outbox, message, target, sequence, number, this.#origins.indexOf(origin));
  }

  answer(sequence: number, result: ForwardResult): void {
    const next = (this.#firstAnswer + this.#answers) >>> 0;
    if (this.#answers > 0 && sequence === next && result === this.#answer) {
      this.#answers++;
      return;
    }
    if (this.#answers > 0) this.#writeAnswers();
    else this.#node.flushLater(this);
    this.#firstAnswer = sequence;
    this.#answers = 1;
    this.#answer = result;
  }

  #writeAnswers(): void {
    const count = this.#answers;
    // Making room for the frame may flush, which must not send them again.
    this.#answers = 0;
    const at = this.#begin(FrameType.ForwardResults, 9);
    const { bytes } = this.outbox;
    bytes[putUint32(bytes, putUint32(bytes, at, this.#firstAnswer), count)] = this.#answer;
  }

  tellMetrics(metrics: Readonly<Record<string, number>>): void {
    const text = encodeUtf8(JSON.stringify(metrics));
    const at = this.#begin(FrameType.Metrics, text.length);
    putBytes(this.outbox.bytes, at, text);
  }

  openRelay(id: number, opening: RelayOpening, side: RelaySide): void {
    this.relays.set(id, side);
    const text = encodeUtf8(openingToText(opening));
    const at = this.#begin(FrameType.RelayOpen, 4 + text.length);
    putBytes(this.outbox.bytes, putUint32(this.outbox.bytes, at, id), text);
  }

  relayData(id: number, bytes: Uint8Array, start: number, end: number): void {
    const at = this.#begin(FrameType.RelayData, 4 + end - start);
    const target = this.outbox.bytes;
    putUint32(target, at, id);
    if (bytes === target) target.copyWithin(at + 4, start, end);
    else target.set(bytes.subarray(start, end), at + 4);
  }

  relayCredit(id: number, count: number): void {
    const at = this.#begin(FrameType.RelayCredit, 8);
    putUint32(this.outbox.bytes, putUint32(this.outbox.bytes, at, id), count);
  }

  relayEnd(id: number): void {
    const at = this.#begin(FrameType.RelayEnd, 4);
    putUint32(this.outbox.bytes, at, id);
  }

  relayClosed(id: number, error: Error | undefined): void {
    this.relays.delete(id);
    const text = encodeUtf8(error?.message ?? "");
    const at = this.#begin(FrameType.RelayClosed, 4 + text.length);
    putBytes(this.outbox.bytes, putUint32(this.outbox.bytes, at, id), text);
  }

  // ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Begins a frame; `length` bytes of body follow at the returned position in `outbox.bytes`, which may have been
   * replaced.
   */
  #begin(type: FrameType, length: number): number {
    const { outbox } = this;
    outbox.reserve(FRAME_HEAD + length);
    const { bytes } = outbox;
    const at = putUint32(bytes, outbox.position, length);
    bytes[at] = type;
    outbox.position = at + 1 + length;
    return at + 1;
  }

  #received(type: number, bytes: Uint8Array, start: number, end: number): void {
    if (type === FrameType.Forward) {
      this.#forwarded(bytes, start, end);
      return;
    }
    const fields = this.#fields.over(bytes, start, end);
    if (type === FrameType.ForwardResults) {
      const sequence = fields.uint32();
      const count = fields.uint32();
      this.#events.answered(this, sequence, count, resultOf(fields.uint8()));
      return;
    }
    if (type === FrameType.Hello) this.#hello(fields);
    else if (!this.#greeted) throw malformed("no greeting");
    else if (type >= FrameType.RelayOpen) this.#relay(type, fields);
    else this.#routing(type, fields);
  }

  #hello(fields: FieldReader): void {
    const version = fields.uint8();
    if (version !== WIRE_VERSION) throw malformed(`version ${version}, not ${WIRE_VERSION}`);
    if (this.#greeted) throw malformed("a second greeting");
    this.#greeted = true;
    this.#events.greeted(this, { id: fields.uint16(), count: fields.uint16(), durable: fields.uint8() === 1 });
  }

  #routing(type: number, fields: FieldReader): void {
    const events = this.#events;
    switch (type) {
      case FrameType.RouteSet: {
        const durable = fields.uint8() === 1;
        events.routeSet(this, fields.text(), durable);
        return;
      }
      case FrameType.RouteRemoved:
        events.routeRemoved(this, fields.text());
        return;
      case FrameType.GroupSet: {
        const durable = fields.uint8() === 1;
        const connected = fields.uint32();
        const members = fields.uint32();
        events.groupSet(this, fields.text(), connected, members, durable);
        return;
      }
      case FrameType.Origins:
        this.#forward.origins = readOrigins(fields);
        events.originsTold(this, this.#forward.origins);
        return;
      case FrameType.RoutesEnd:
        events.routesEnded(this);
        return;
      case FrameType.RetainedEnd:
        events.retainedEnded(this);
        return;
      case FrameType.Leaving:
        events.left(this);
        return;
      case FrameType.Barrier:
        this.#begin(FrameType.BarrierPassed, 0);
        return;
      case FrameType.BarrierPassed:
        this.#barriers.shift()?.();
        return;
      case FrameType.Metrics:
        events.metricsTold(this, metricsFromText(fields.text()));
        return;
      default:
        throw malformed(`type ${type}`);
    }
  }

  #forwarded(bytes: Uint8Array, start: number, end: number): void {
    if (!this.#greeted) throw malformed("no greeting");
    const forward = this.#forward;
    let result: ForwardResult;
    try {
      forward.read(bytes, start, end);
      result = this.#events.forwarded(this, forward.message, forward, forward.sequence, this.#now);
      // Whatever keeps the message has a copy; encodings in borrowed memory end here.
      if (forward.message.kept) forward.message.releaseFrames();
    } catch (error) {
      if (!(error instanceof MqttError)) throw error;
      this.#node.problem(error);
      result = ForwardResult.Refused;
    }
    if (forward.sequence >= 0 && result !== ForwardResult.Later && !this.#over) this.answer(forward.sequence, result);
  }

  #relay(type: number, fields: FieldReader): void {
    const id = fields.uint32();
    if (type === FrameType.RelayOpen) {
      const side = this.#events.relayOpened(this, id, openingFromText(fields.text()));
      if (side === undefined) this.relayClosed(id, undefined);
      else this.relays.set(id, side);
      return;
    }
    const side = this.relays.get(id);
    // Frames that were in transit when this side was closed.
    if (side === undefined) return;
    if (type === FrameType.RelayData) side.arrived(fields.bytes, fields.position, fields.end);
    else if (type === FrameType.RelayCredit) side.credited(fields.uint32());
    else if (type === FrameType.RelayEnd) side.ended();
    else if (type === FrameType.RelayClosed) {
      this.relays.delete(id);
      const reason = fields.text();
      side.lost(reason === "" ? undefined : new Error(reason));
    } else throw malformed(`type ${type}`);
  }

  #finish(error: Error | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.outbox.discard();
    this.outbox.drained();
    const barriers = this.#barriers;
    this.#barriers = [];
    for (const passed of barriers) passed();
    const relays = [...this.relays.values()];
    this.relays.clear();
    for (const side of relays) side.lost(error ?? new Error("the broker that holds the connection is gone"));
    this.#events.closed(this, error);
  }
}

function resultOf(code: number): ForwardResult {
  if (code > ForwardResult.Refused) throw malformed(`result ${code}`);
  return code as ForwardResult;
}

function metricsFromText(text: string): Readonly<Record<string, number>> {
  try {
    return JSON.parse(text) as Record<string, number>;
  } catch {
    throw malformed("metrics are no JSON");
  }
}
