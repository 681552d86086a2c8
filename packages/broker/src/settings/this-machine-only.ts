// Admits clients of this machine without credentials, as aMQTT's default does, in a broker without options for
// listeners and plugins; also when such a broker gets another listener later.
import { type Plugin, ReasonCode } from "@wrenmq/plugin-api";

const NAME = "this-machine-only";

/** A connection without an address does not come from a listener, and its origin is unknown. */
const isOfThisMachine = (address: string): boolean =>
  address === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address);

export const thisMachineOnly: Plugin = {
  name: NAME,
  setup: () => ({
    authenticate({ remoteAddress, username }) {
      if (!isOfThisMachine(remoteAddress))
        return { reasonCode: ReasonCode.NotAuthorized, rule: "without plugins only this machine may enter" };
      const isNamed = username !== undefined && username !== "";
      return {
        reasonCode: ReasonCode.Success,
        rule: "without plugins clients of this machine may enter",
        ...(isNamed ? {} : { attributes: { anonymous: true } }),
      };
    },
  }),
};
