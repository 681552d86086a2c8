// What is known of a client's session and of its connection.

import type { ClientDetails } from "../../api/types.ts";
import { Badge, Empty, Fact, Facts, Section } from "../../parts/states.tsx";
import { bytes, count, dateAndTime, duration } from "../../pure/format.ts";

export function SessionFacts({ details }: { readonly details: ClientDetails }) {
  const { username, protocol, expiryInterval, cleanStart, keepAlive, hasWill, stored, queue, inflight, inflightIn } =
    details;
  return (
    <Section title="Session">
      <Facts>
        <Fact name="User">{username ?? "–"}</Fact>
        {protocol !== undefined && <Fact name="MQTT">{protocol}</Fact>}
        <Fact name="Outlives its connection">
          {expiryInterval === null ? "for ever" : expiryInterval === 0 ? "no" : duration(expiryInterval)}
        </Fact>
        <Fact name="Clean start">{cleanStart ? "yes" : "no"}</Fact>
        <Fact name="Keep alive">{keepAlive === 0 ? "none" : duration(keepAlive)}</Fact>
        <Fact name="Will">{hasWill ? "yes" : "none"}</Fact>
        <Fact name="On the disk">{stored ? "yes" : "no"}</Fact>
        <Fact name="Waiting">
          {count(queue.messages)} ({count(queue.qos1)} QoS 1, {count(queue.qos2)} QoS 2), {bytes(queue.bytes)}
        </Fact>
        <Fact name="Oldest has waited">{queue.oldestSeconds === undefined ? "–" : duration(queue.oldestSeconds)}</Fact>
        <Fact name="In flight">
          {count(inflight ?? details.inflightMessages.length)} out, {count(inflightIn)} in
        </Fact>
        {details.userProperties.map(([name, value], index) => (
          <Fact key={`${name}${index}`} name={`Property ${name}`}>
            {value}
          </Fact>
        ))}
      </Facts>
    </Section>
  );
}

export function ConnectionFacts({ details }: { readonly details: ClientDetails }) {
  const { connection, listener, address, port, connectedAt } = details;
  if (connection === undefined) {
    return (
      <Section title="Connection">
        <Empty>
          It is not connected.{" "}
          {details.disconnectedAt === undefined ? "" : `Last seen ${dateAndTime(details.disconnectedAt)}.`}
        </Empty>
      </Section>
    );
  }
  const { transport, bytesReceived, bytesSent, backlog, tls, receiveMaximum, maximumPacketSize } = connection;
  return (
    <Section title="Connection">
      <Facts>
        <Fact name="From">
          <code>
            {address}
            {port !== undefined && `:${port}`}
          </code>
        </Fact>
        <Fact name="Listener">
          {listener} ({transport})
        </Fact>
        <Fact name="Since">{connectedAt === undefined ? "–" : dateAndTime(connectedAt)}</Fact>
        <Fact name="Received">{bytes(bytesReceived)}</Fact>
        <Fact name="Sent">{bytes(bytesSent)}</Fact>
        <Fact name="Not taken yet">{bytes(backlog)}</Fact>
        <Fact name="Takes at once">{receiveMaximum === undefined ? "–" : `${count(receiveMaximum)} messages`}</Fact>
        <Fact name="Largest packet">{maximumPacketSize === undefined ? "no limit" : bytes(maximumPacketSize)}</Fact>
        {tls === undefined ? (
          <Fact name="TLS">
            <Badge tone="quiet">none</Badge>
          </Fact>
        ) : (
          <Tls tls={tls} />
        )}
      </Facts>
    </Section>
  );
}

function Tls({ tls }: { readonly tls: NonNullable<NonNullable<ClientDetails["connection"]>["tls"]> }) {
  const { protocol, serverName, authorized, certificate } = tls;
  return (
    <>
      <Fact name="TLS">
        <Badge tone="ok">{protocol}</Badge> {serverName !== undefined && `to ${serverName}`}
      </Fact>
      <Fact name="Certificate">
        {certificate === undefined ? "none" : certificate.subject.replaceAll("\n", ", ")}{" "}
        {authorized && <Badge tone="ok">accepted</Badge>}
      </Fact>
      {certificate !== undefined && (
        <Fact name="Fingerprint">
          <code class="break">{certificate.fingerprint256}</code>
        </Fact>
      )}
    </>
  );
}
