// A set of addresses and networks of trusted proxies.
import { BlockList, isIP } from "node:net";
import { ListenerError } from "../errors.ts";

export class TrustedAddresses {
  private readonly list: BlockList = new BlockList();

  /**
   * @param key name of the option, for the error
   * @throws ListenerError ERR_LISTENER_CONFIG if an entry is not an address or network
   */
  constructor(entries: readonly string[], key: string) {
    for (const entry of entries) {
      const [address = "", prefix, more] = entry.split("/");
      const version = isIP(address);
      const bits = version === 4 ? 32 : 128;
      const valid = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
      if (version === 0 || !valid || more !== undefined) {
        throw new ListenerError(
          "ERR_LISTENER_CONFIG",
          `${key}: "${entry}" is neither an address nor a network such as 10.0.0.0/8`,
        );
      }
      this.list.addSubnet(address, prefix === undefined ? bits : Number(prefix), version === 4 ? "ipv4" : "ipv6");
    }
  }

  has(address: string): boolean {
    const version = isIP(address);
    return version !== 0 && this.list.check(address, version === 4 ? "ipv4" : "ipv6");
  }
}
