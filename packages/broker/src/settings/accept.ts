// Makes a connection of the arguments of `accept`, and checks them: a misspelt address would not be seen by any rule.
import type { Duplex } from "node:stream";
import { boolean, isMapping, options, string, text } from "@wrenmq/plugin-api/options";
import { type ExternalConnection, fromDuplex } from "@wrenmq/transport";
import type { AcceptOptions } from "../options.ts";
import { BrokerError } from "../runtime/broker-error.ts";
import { EXACT, type FieldsOf, given, maybe, wholeNumber, withMethods } from "./fields.ts";
import { check } from "./settle.ts";

const port = wholeNumber(65_535);
const mapping = given("a mapping", isMapping);
const ACCEPT: FieldsOf<AcceptOptions> = {
  listener: text(),
  handedOver: maybe(boolean()),
  socket: maybe(withMethods("a stream", "pipe", "write")),
  transport: maybe(text()),
  remoteAddress: maybe(string()),
  remotePort: maybe(port),
  localAddress: maybe(string()),
  localPort: maybe(port),
  tls: maybe(mapping),
  headers: maybe(mapping),
};
const SCHEMA = options(ACCEPT, EXACT);

/** @throws BrokerError ERR_BROKER_CONFIG */
export function connectionFor(stream: Duplex | ExternalConnection, given: AcceptOptions): ExternalConnection {
  check(SCHEMA, given, "accept()");
  const { listener: _listener, handedOver: _handedOver, ...facts } = given;
  if (!("info" in stream)) {
    if (typeof (stream as Partial<Duplex>).pipe === "function") return fromDuplex(stream, facts);
    throw new BrokerError(
      "ERR_BROKER_CONFIG",
      "accept(): expected a Duplex stream, or a connection with attach(handler)",
    );
  }
  if (typeof (stream as Partial<ExternalConnection>).attach !== "function") {
    throw new BrokerError(
      "ERR_BROKER_CONFIG",
      "accept(): the connection has no attach(handler): see ExternalConnection",
    );
  }
  const [first] = Object.keys(facts);
  if (first === undefined) return stream;
  const message = `accept(): ${first}: only for streams; this connection says itself where it comes from`;
  throw new BrokerError("ERR_BROKER_CONFIG", message, { option: first });
}
