// The small sections: $SYS, log, sessions, keep alive, shared subscriptions.

import { duration } from "../description/quantities.ts";
import { choice, flag } from "../description/scalars.ts";
import { type Section, section } from "../description/section.ts";
import type { KeepAliveConfig, LogSection, SessionConfig, SharedSection, SysSection } from "../wren-config.ts";

export const sysSection: Section<SysSection> = section<SysSection>("The `$SYS/broker/…` topics.", {
  enabled: { doc: "Publish them.", type: flag, default: true },
  intervalSeconds: { key: "interval", doc: "Time between two publications.", type: duration("s"), default: 20 },
  names: { doc: "Whose topic names are used.", type: choice(["amqtt", "mosquitto", "both"]), default: "both" },
});

export const logSection: Section<LogSection> = section<LogSection>("What the command-line broker logs.", {
  level: {
    doc: "The least important line that is written.",
    type: choice(["trace", "debug", "info", "warn", "error", "silent"]),
    default: "info",
  },
  format: {
    doc: "Text for people, or one JSON object per line. Without it: `text` on a terminal, else `json`.",
    type: choice(["text", "json"]),
  },
});

export const sessionSection: Section<SessionConfig> = section<SessionConfig>(
  "How long sessions outlive their connections.",
  {
    defaultExpiry: {
      key: "default_expiry",
      doc: "Expiry of persistent sessions of MQTT 3, which has no expiry interval. Without it: they never expire.",
      type: duration("s"),
    },
    maximumExpiry: {
      key: "maximum_expiry",
      doc: "Longer session expiry intervals of MQTT 5 clients are reduced to this. Without it: no limit.",
      type: duration("s"),
    },
  },
);

export const keepAliveSection: Section<KeepAliveConfig> = section<KeepAliveConfig>("When silent clients are closed.", {
  extraDelaySeconds: {
    key: "extra_delay",
    doc: "Added to 1.5 × the client's keep alive before it is disconnected. With more than 0 the broker waits longer than the standard allows.",
    type: duration("s"),
    default: 0,
  },
});

export const sharedSection: Section<SharedSection> = section<SharedSection>("Shared subscriptions.", {
  strategy: {
    doc: "Which member gets a message: each in turn, a random one, always the same while it can, or the same for all messages of one publisher, which keeps their order. Members that are connected and keep up are preferred.",
    type: choice(["round-robin", "random", "sticky", "publisher"]),
    default: "round-robin",
  },
});
