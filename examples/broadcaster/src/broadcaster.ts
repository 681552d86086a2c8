// Publishes how many clients there are, at intervals, and who has come or gone when it happens.
import { definePlugin } from "@wrenmq/plugin-api";
import { boolean, milliseconds, options, text } from "@wrenmq/plugin-api/options";

export default definePlugin({
  name: "broadcaster",
  config: options({
    topic: text("a topic", { default: "house" }),
    /** Milliseconds between two reports. */
    interval: milliseconds({ min: 1, default: 60_000 }),
    announce: boolean({ default: true }),
  }),
  hooks({ config: { topic, interval, announce }, context }) {
    let present = 0;
    context.setInterval(() => context.publish(`${topic}/present`, String(present), { qos: 1 }), interval);

    const changed = (what: string, clientId: string, by: number): void => {
      present += by;
      // Whoever subscribes later gets to know, too.
      context.retain(`${topic}/last`, `${clientId} has ${what}`);
      if (announce) context.publish(`${topic}/${what}`, clientId);
    };
    return {
      brokerStarted: () => context.publish(`${topic}/open`, "yes"),
      connected: ({ clientId }) => changed("come", clientId, 1),
      disconnected: ({ clientId }) => changed("gone", clientId, -1),
    };
  },
});
