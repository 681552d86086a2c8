// What members are asked besides the commands of the table: numbers for `/metrics`, and what a member that has been
// started again has to be told because it lives in memory only.
import type { Ban } from "@wrenmq/broker";
import type { CommandContext } from "../define-command.ts";
import { type Family, familiesOf } from "../metrics/prometheus.ts";

/** Bans, and whether clients are let in: the same at all members. */
interface Standing {
  readonly bans: readonly Ban[];
  readonly drain: { readonly rate: number; readonly serverReference: string | undefined } | undefined;
}

export const FAMILIES = "internal.families";
export const READ_STANDING = "internal.standing";
export const APPLY_STANDING = "internal.applyStanding";

type Internal = (context: CommandContext, input: unknown) => unknown;

const INTERNAL: ReadonlyMap<string, Internal> = new Map<string, Internal>([
  [
    FAMILIES,
    ({ broker, histograms }): Family[] => {
      histograms.start();
      return familiesOf(broker, histograms);
    },
  ],
  [
    READ_STANDING,
    ({ broker: { operations } }): Standing => {
      const { drainState } = operations;
      const drain = drainState && { rate: drainState.rate, serverReference: drainState.serverReference };
      return { bans: [...operations.bans()], drain };
    },
  ],
  [
    APPLY_STANDING,
    ({ broker: { operations } }, input): undefined => {
      const { bans, drain } = input as Standing;
      for (const ban of bans) operations.ban(ban);
      if (drain === undefined || operations.drainState !== undefined) return undefined;
      const { rate, serverReference } = drain;
      operations.startDrain({ rate, ...(serverReference === undefined ? {} : { serverReference }) });
      return undefined;
    },
  ],
]);

export function internalCommand(name: string): Internal | undefined {
  return INTERNAL.get(name);
}
