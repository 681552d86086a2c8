// The types of commands, taken from the table of @wrenmq/admin: nothing of it is in the bundle.
import type { Command, CommandName, Commands, Role, StreamCommand } from "@wrenmq/admin";
import type { z } from "zod";

export type { CommandName, Role };

export type Input<Name extends CommandName> = z.input<Commands[Name]["input"]>;

/** The answer of a command; of a stream: one line. */
export type Answer<Name extends CommandName> =
  Commands[Name] extends StreamCommand<infer _I, infer Output>
    ? z.output<Output>
    : Commands[Name] extends Command<infer _I, infer Output>
      ? z.output<Output>
      : never;

export type ClientDetails = Answer<"clients.get">;

export type Item<Name extends CommandName> = Answer<Name> extends { items: readonly (infer One)[] } ? One : never;
