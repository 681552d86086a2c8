// What `wrenmq sub` has received: each message is printed first and acknowledged then, so that none is acknowledged that
// nobody has seen. What comes after the last one that was wanted stays with the broker.
import type { IClientOptions, IPublishPacket, MqttClient } from "mqtt";

export interface PrintOptions {
  /** So many, and no more. */
  readonly count?: number;
  /** The topic before each message. */
  readonly verbose?: boolean;
}

const NEWLINE = Buffer.from("\n");

export class PrintedMessages {
  /** Resolves when `count` messages have been printed and acknowledged. */
  readonly enough: Promise<void>;
  readonly #options: PrintOptions;
  /** Packet identifiers at QoS 2 whose PUBREL has not come: the message may be sent again and is printed already. */
  readonly #halfway = new Set<number>();
  #client: MqttClient | undefined;
  #printed = 0;
  #isOver = false;
  #resolve = (): void => {};

  constructor(options: PrintOptions) {
    this.#options = options;
    this.enough = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** To be called before the client is connected. */
  readFrom(client: MqttClient): void {
    this.#client = client;
    // Here and not among the options of connect(), which takes it with MQTT 5 only.
    client.options.customHandleAcks = this.#acknowledge;
    // Called for QoS 0 and 1 after `customHandleAcks`, for QoS 2 at PUBREL.
    client.handleMessage = (packet, next): void => {
      if (packet.qos === 2) this.#halfway.delete(packet.messageId as number);
      if (packet.qos === 0) this.#print(packet, next);
      else next();
    };
    client.on("connect", ({ sessionPresent }) => {
      if (!sessionPresent) this.#halfway.clear();
    });
  }

  /** No more is printed or acknowledged. */
  stop(): void {
    this.#isOver = true;
    const client = this.#client;
    if (client === undefined) return;
    // Neither what the socket holds back, nor an answer that is not read any more, keeps it from ending.
    client.stream.unpipe();
    client.stream.resume();
    for (const identifier of Object.keys(client.outgoing)) client.removeOutgoingMessage(Number(identifier));
  }

  readonly #acknowledge: NonNullable<IClientOptions["customHandleAcks"]> = (_topic, _payload, packet, done) => {
    const { qos, messageId = 0 } = packet as IPublishPacket;
    if (qos === 2 && this.#halfway.has(messageId)) return done(0);
    this.#print(packet as IPublishPacket, () => {
      if (qos === 2) this.#halfway.add(messageId);
      done(0);
    });
  };

  #print({ topic, payload }: IPublishPacket, next: () => void): void {
    const { count = Number.POSITIVE_INFINITY, verbose } = this.#options;
    if (this.#isOver || this.#printed >= count) return; // it is not acknowledged: the broker keeps it
    this.#printed++;
    const line = [Buffer.from(verbose === true ? `${topic} ` : ""), Buffer.from(payload), NEWLINE];
    process.stdout.write(Buffer.concat(line), () => {
      next();
      if (this.#printed >= count) this.#resolve();
    });
  }
}
