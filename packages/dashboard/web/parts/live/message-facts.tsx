// What is known of a message besides its payload.
import { clockWithMillis } from "../../pure/format.ts";
import type { Message } from "../../pure/messages/message.ts";
import { printable } from "../../pure/messages/payload.ts";
import { hrefOf } from "../../pure/route.ts";
import { Fact } from "../states.tsx";

export function MessageFacts({ message }: { readonly message: Message }) {
  const { at, qos, retain, publisher, userProperties = [] } = message;
  return (
    <>
      <Fact name="At">{clockWithMillis(at)}</Fact>
      <Fact name="QoS">
        {qos}
        {retain && ", retain"}
      </Fact>
      <Fact name="From">
        {publisher === "" ? "the server" : <a href={hrefOf("clients", publisher)}>{printable(publisher)}</a>}
      </Fact>
      {userProperties.map(([name, value], index) => (
        <Fact key={`${name}${index}`} name={`Property ${name}`}>
          {value}
        </Fact>
      ))}
    </>
  );
}
