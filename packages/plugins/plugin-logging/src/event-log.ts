// Plugin: one log line for each event: clients that connect and disconnect at level info, everything else at debug.
import { definePlugin, type Plugin, type PluginMessage, type SessionInfo } from "@wrenmq/plugin-api";
import { EVENT_LOG_OPTIONS } from "./options.ts";

export const eventLog: () => Plugin = definePlugin({
  name: "event-log",
  config: EVENT_LOG_OPTIONS,
  hooks({ context: { logger } }) {
    const lifecycle = (what: string) => () => logger.info({}, `broker ${what}`);
    const session = (what: string) => (given: SessionInfo) => logger.debug(sessionFields(given), `session ${what}`);
    return {
      brokerStarting: lifecycle("starting"),
      brokerStarted: lifecycle("started"),
      brokerStopping: lifecycle("stopping"),
      brokerStopped: lifecycle("stopped"),
      connected: ({ clientId, username, remoteAddress, listener, protocolVersion }) =>
        logger.info({ clientId, username, remoteAddress, listener, protocolVersion }, "client connected"),
      disconnected: ({ clientId }, reasonCode) => logger.info({ clientId, reasonCode }, "client disconnected"),
      refused: ({ clientId, username, remoteAddress }, { reasonCode, rule }) =>
        logger.info({ clientId, username, remoteAddress, reasonCode, rule }, "client refused"),
      subscribed: ({ clientId }, { topicFilter, qos }, reasonCode) =>
        logger.debug({ clientId, topicFilter, qos, reasonCode }, "subscribed"),
      unsubscribed: ({ clientId }, topicFilter) => logger.debug({ clientId, topicFilter }, "unsubscribed"),
      received: ({ clientId }, message) => logger.debug({ clientId, ...messageFields(message) }, "message received"),
      published: (client, message) =>
        logger.debug({ clientId: client?.clientId, ...messageFields(message) }, "message published"),
      delivered: ({ clientId }, message, qos) =>
        logger.debug({ clientId, ...messageFields(message), qos }, "message delivered"),
      acknowledged: ({ clientId }, packetId) => logger.debug({ clientId, packetId }, "message acknowledged"),
      dropped: (clientId, message, reason, side) =>
        logger.debug({ clientId, side, ...messageFields(message), reason }, "message dropped"),
      retained: (message) => logger.debug(messageFields(message), "message retained"),
      retainedCleared: (topic) => logger.debug({ topic }, "retained message cleared"),
      sessionCreated: session("created"),
      sessionResumed: session("resumed"),
      sessionTakenOver: session("taken over"),
      sessionEnded: (given, reason) => logger.debug({ ...sessionFields(given), reason }, "session ended"),
    };
  },
});

/** Payloads are not logged: they may be private, and large. */
function messageFields({ topic, payload, qos, retain, publisher }: PluginMessage): object {
  return { topic, bytes: payload.length, qos, retain, publisher };
}

function sessionFields({ clientId, expiryInterval, subscriptions, queued, inflight }: SessionInfo): object {
  return { clientId, expiryInterval, subscriptions: subscriptions.size, queued, inflight };
}
