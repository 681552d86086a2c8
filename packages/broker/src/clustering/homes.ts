// Selects the receivers of a message after the number of brokers has changed: sessions whose home was a broker that had
// not got it.
import { type Homes, homeOf } from "@wrenmq/cluster";
import type { Recipient } from "../routing/recipient.ts";

/** @param homes all of these must hold; undefined: no condition */
export function atHome(recipients: readonly Recipient[], homes: readonly Homes[] | undefined): readonly Recipient[] {
  if (homes === undefined || homes.length === 0) return recipients;
  return recipients.filter(({ entry }) =>
    homes.every(({ home, count }) => homeOf(entry.session.clientId, count) === home),
  );
}
