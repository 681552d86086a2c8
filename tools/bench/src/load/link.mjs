// One client connection of the load generator: finds packets in what arrives, and writes once per turn of the event
// loop. It decodes only what it must, because a generator must not be slower than the broker it measures.
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { decode, encode } from "@wrenmq/codec";

/** All connections read into this buffer: a callback runs before the next read. */
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024);
const CONNACK = 2;
const PUBLISH = 3;
const PUBACK = 4;
const PUBREC = 5;
const PUBREL = 6;
const PUBCOMP = 7;
const SUBACK = 9;
/** Connects and subscriptions at a time. */
const PARALLEL = 64;

let dirty = [];
let scheduled = false;

let tasks = [];

/** Calls `task` at the end of this turn of the event loop, before what it appends to links is written. */
export function atEndOfTurn(task) {
  tasks.push(task);
  schedule();
}

function schedule() {
  if (scheduled) return;
  scheduled = true;
  setImmediate(flushAll);
}

function flushAll() {
  const now = tasks;
  tasks = [];
  for (const task of now) task();
  const links = dirty;
  dirty = [];
  scheduled = false;
  for (const link of links) link.flush();
  if (tasks.length > 0) schedule();
}

/** Bytes of the packet that begins at `at`; 0: too few bytes to know. */
function packetSize(bytes, at, end) {
  let length = 0;
  for (let i = 1, factor = 1; i <= 4; i++, factor *= 128) {
    if (at + i >= end) return 0;
    const byte = bytes[at + i];
    length += (byte & 127) * factor;
    if (byte < 128) return 1 + i + length;
  }
  throw new Error("the broker sent a packet length that cannot be");
}

export class Link {
  /** For subscribers: (link, bytes, payload start, payload end, qos, retained). */
  onMessage = undefined;
  /** For publishers: a message was acknowledged. */
  onAcknowledged = undefined;
  onClosed = undefined;
  #version;
  #socket;
  #out = Buffer.allocUnsafe(256);
  #outLength = 0;
  #partial = undefined;
  #partialLength = 0;
  #partialSize = 0;
  #answer = undefined;
  #closing = false;
  /** TLS: the last ticket, with which the next connection resumes the session. */
  session = undefined;
  isResumed = false;

  constructor(version) {
    this.#version = version;
  }

  /** Connects and waits for CONNACK. */
  async open(port, { clientId, cleanStart = true, keepAlive = 300, tls }) {
    await new Promise((resolve, reject) => {
      const callback = (count) => {
        this.#arrived(count);
        return true;
      };
      const plain = { port, host: "127.0.0.1", noDelay: true, onread: { buffer: readBuffer, callback } };
      const secure = { ...plain, servername: "localhost", rejectUnauthorized: false, ...tls };
      const socket = tls === undefined ? connect(plain) : connectTls(secure);
      this.#socket = socket;
      socket.once(tls === undefined ? "connect" : "secureConnect", () => {
        this.isResumed = tls !== undefined && socket.isSessionReused();
        resolve();
      });
      if (tls !== undefined) {
        socket.on("session", (session) => {
          this.session = session;
        });
      }
      socket.on("error", (error) => this.#lost(error, reject));
      socket.on("close", () => this.#lost(new Error("the broker closed a connection"), reject));
    });
    const properties = cleanStart ? undefined : { sessionExpiryInterval: 0xffff_ffff };
    const packet = { type: "connect", protocolVersion: this.#version, clientId, cleanStart, keepAlive };
    this.append(encode(this.#version === 5 && properties ? { ...packet, properties } : packet, this.#version));
    const connack = await this.#reply(CONNACK);
    if (connack.reasonCode !== 0) throw new Error(`CONNACK ${connack.reasonCode}`);
    return connack;
  }

  async subscribe(filters, qos) {
    for (let i = 0; i < filters.length; i += 500) {
      const subscriptions = filters.slice(i, i + 500).map((topicFilter) => ({
        topicFilter,
        qos,
        noLocal: false,
        retainAsPublished: false,
        retainHandling: 0,
      }));
      this.append(encode({ type: "subscribe", packetId: 1, subscriptions }, this.#version));
      const { reasonCodes } = await this.#reply(SUBACK);
      if (reasonCodes.some((code) => code !== qos))
        throw new Error(`SUBACK ${reasonCodes.find((code) => code !== qos)}`);
    }
  }

  /**
   * Space for `size` more bytes of this turn.
   * @returns where to write them in `out`
   */
  reserve(size) {
    const at = this.#outLength;
    if (at === 0) this.#touch();
    if (at + size > this.#out.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.#out.length * 2, at + size));
      this.#out.copy(larger, 0, 0, at);
      this.#out = larger;
    }
    this.#outLength = at + size;
    return at;
  }

  get out() {
    return this.#out;
  }

  append(bytes) {
    const at = this.reserve(bytes.length);
    this.#out.set(bytes, at);
  }

  flush() {
    const length = this.#outLength;
    if (length === 0 || this.#closing) return;
    this.#outLength = 0;
    this.#socket.write(length === this.#out.length ? this.#out : this.#out.subarray(0, length));
    // The socket keeps what the system has not taken: then a new buffer is needed.
    if (this.#socket.writableLength > 0) this.#out = Buffer.allocUnsafe(this.#out.length);
  }

  /** Stops reading for good. */
  freeze() {
    this.#socket.pause();
  }

  close() {
    if (this.#closing) return;
    this.append(encode({ type: "disconnect", reasonCode: 0 }, this.#version));
    this.flush();
    this.#closing = true;
    this.#socket.end();
  }

  destroy() {
    this.#closing = true;
    this.#socket.destroy();
  }

  #touch() {
    dirty.push(this);
    schedule();
  }

  #reply(type) {
    return new Promise((resolve, reject) => {
      this.#answer = { type, resolve, reject };
    });
  }

  #lost(error, reject) {
    if (this.#closing) return;
    this.#closing = true;
    reject(error);
    this.#answer?.reject(error);
    this.onClosed?.(error);
  }

  #arrived(count) {
    let at = 0;
    if (this.#partial !== undefined) at = this.#complete(count);
    while (at < count) {
      const size = packetSize(readBuffer, at, count);
      if (size === 0 || at + size > count) {
        this.#keep(at, count, size);
        return;
      }
      this.#packet(readBuffer, at, at + size);
      at += size;
    }
  }

  #keep(at, end, size) {
    this.#partial = Buffer.allocUnsafe(Math.max(size, 8));
    this.#partialSize = size;
    this.#partialLength = end - at;
    readBuffer.copy(this.#partial, 0, at, end);
  }

  /**
   * Adds bytes to the packet that has begun.
   * @returns up to where they were used
   */
  #complete(count) {
    let at = 0;
    while (this.#partialSize === 0) {
      if (at === count) return at;
      this.#partial[this.#partialLength++] = readBuffer[at++];
      this.#partialSize = packetSize(this.#partial, 0, this.#partialLength);
    }
    if (this.#partial.length < this.#partialSize) {
      const whole = Buffer.allocUnsafe(this.#partialSize);
      this.#partial.copy(whole, 0, 0, this.#partialLength);
      this.#partial = whole;
    }
    const take = Math.min(count - at, this.#partialSize - this.#partialLength);
    readBuffer.copy(this.#partial, this.#partialLength, at, at + take);
    this.#partialLength += take;
    if (this.#partialLength === this.#partialSize) {
      const packet = this.#partial;
      this.#partial = undefined;
      this.#packet(packet, 0, this.#partialSize);
    }
    return at + take;
  }

  #packet(bytes, start, end) {
    const head = bytes[start];
    switch (head >> 4) {
      case PUBLISH:
        this.#published(bytes, start, end, head);
        break;
      case PUBACK:
      case PUBCOMP:
        this.onAcknowledged?.();
        break;
      case PUBREC:
        this.#answerTo(0x62, bytes, start + 2);
        break;
      case PUBREL:
        this.#answerTo(0x70, bytes, start + 2);
        break;
      default:
        this.#awaited(bytes, start, end, head >> 4);
    }
  }

  #published(bytes, start, end, head) {
    const qos = (head >> 1) & 3;
    let at = start + 2;
    while (bytes[at - 1] >= 128) at++;
    at += 2 + (bytes[at] << 8) + bytes[at + 1];
    const packetIdAt = at;
    if (qos > 0) at += 2;
    if (this.#version === 5) {
      let length = 0;
      for (let factor = 1; ; factor *= 128) {
        const byte = bytes[at++];
        length += (byte & 127) * factor;
        if (byte < 128) break;
      }
      at += length;
    }
    this.onMessage?.(this, bytes, at, end, qos, (head & 1) === 1);
    if (qos > 0) this.#answerTo(qos === 1 ? 0x40 : 0x50, bytes, packetIdAt);
  }

  #answerTo(head, bytes, packetIdAt) {
    const at = this.reserve(4);
    const { out } = this;
    out[at] = head;
    out[at + 1] = 2;
    out[at + 2] = bytes[packetIdAt];
    out[at + 3] = bytes[packetIdAt + 1];
  }

  #awaited(bytes, start, end, type) {
    const answer = this.#answer;
    if (answer?.type !== type) return;
    this.#answer = undefined;
    try {
      answer.resolve(decode(new Uint8Array(bytes.subarray(start, end)), this.#version));
    } catch (error) {
      answer.reject(error);
    }
  }
}

/**
 * Opens `count` links, a few at a time.
 * @param listeners `onMessage` and others, set before anything can arrive
 */
export async function openLinks(count, version, port, optionsOf, listeners = {}) {
  const links = Array.from({ length: count }, () => Object.assign(new Link(version), listeners));
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const i = next++;
      await links[i].open(port, optionsOf(i));
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL, count) }, worker));
  return links;
}

/** Runs `action` for each item, a few at a time. */
export async function each(items, action) {
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const i = next++;
      await action(items[i], i);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}
