// Who may connect to a broker that was told neither where to listen nor whom to let in: clients of this machine, with no
// password asked, as aMQTT's default does. Also where such a broker is given another listener later.
import type { Plugin } from "@wrenmq/plugin-api";

const NAME = "this-machine-only";

/** A connection without an address is none of a listener's: nobody knows where it comes from. */
const isOfThisMachine = (address: string): boolean =>
  address === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address);

export const thisMachineOnly: Plugin = {
  name: NAME,
  setup: () => ({
    authenticate({ remoteAddress, username }) {
      if (!isOfThisMachine(remoteAddress))
        return { reasonCode: 0x87, rule: "without plugins only this machine may enter" };
      const isNamed = username !== undefined && username !== "";
      return {
        reasonCode: 0,
        rule: "without plugins clients of this machine may enter",
        ...(isNamed ? {} : { attributes: { anonymous: true } }),
      };
    },
  }),
};
