// Prints the messages that `wrenmq sub` receives. Each is printed before it is acknowledged, so that none is lost.
// Messages after the last wanted one are not acknowledged.
import type { IClientOptions, IPublishPacket, MqttClient } from "mqtt";

export interface PrintOptions {
  /** Number of messages to print. Default: no limit. */
  readonly count?: number;
  /** Print the topic before each message. Default false. */
  readonly verbose?: boolean;
}

const NEWLINE = Buffer.from("\n");

export class PrintedMessages {
  /** Resolves when `count` messages have been printed and acknowledged. */
  readonly enough: Promise<void>;
  readonly #options: PrintOptions;
  /**
   * Packet identifiers of QoS 2 messages that were printed and whose PUBREL has not arrived: they may be sent again.
   */
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

  /** Call it before the client is connected. */
  readFrom(client: MqttClient): void {
    this.#client = client;
    // Set here and not by the options of connect(), which accepts it with MQTT 5 only.
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

  /** Prints and acknowledges no more messages. */
  stop(): void {
    this.#isOver = true;
    const client = this.#client;
    if (client === undefined) return;
    // Neither buffered bytes of the socket nor an unread answer may delay the end.
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
    if (this.#isOver || this.#printed >= count) return; // not acknowledged: the broker keeps it
    this.#printed++;
    const line = [Buffer.from(verbose === true ? `${topic} ` : ""), Buffer.from(payload), NEWLINE];
    process.stdout.write(Buffer.concat(line), () => {
      next();
      if (this.#printed >= count) this.#resolve();
    });
  }
}
