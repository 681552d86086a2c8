// Asks a web service who may enter. It answers 200 with the topics of the user, or 401; anything else is no opinion.
import { definePlugin, ReasonCode } from "@wrenmq/plugin-api";
import { decideByGrants } from "@wrenmq/plugin-api/grants";
import { milliseconds, options, text } from "@wrenmq/plugin-api/options";

export default definePlugin({
  name: "web-service-auth",
  config: options({
    url: text("a URL"),
    /** Milliseconds that the service may take. */
    timeout: milliseconds({ min: 1, default: 2_000 }),
  }),
  hooks({ config, context }) {
    // A name of this instance: there may be two of a kind.
    const key = `web-service-auth:${context.name}`;

    return {
      async authenticate({ clientId, username }, password, { signal }) {
        if (username === undefined || password === undefined) return undefined;
        const body = JSON.stringify({ clientId, username, password: new TextDecoder().decode(password) });
        try {
          const response = await fetch(config.url, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body,
            // A redirect would carry the password somewhere else.
            redirect: "error",
            signal: AbortSignal.any([signal, AbortSignal.timeout(config.timeout)]),
          });
          if (response.status === 401) return { reasonCode: ReasonCode.NotAuthorized, rule: "the service says no" };
          if (!response.ok) throw new Error(`the service answered ${response.status}`);
          const attributes = { [key]: topicsOf(await response.json()) };
          return { reasonCode: ReasonCode.Success, rule: "the service says yes", attributes };
        } catch (error) {
          if (!signal.aborted) context.logger.warn({ err: error }, "the service gave no answer");
          return undefined;
        }
      },
      authorize({ attributes }, action, topic) {
        const topics = attributes[key] as readonly string[] | undefined;
        if (topics === undefined) return undefined;
        const grants = { publish: topics, subscribe: topics, receive: topics };
        return decideByGrants(grants, action, topic, "topics");
      },
    };
  },
});

function topicsOf(answer: unknown): string[] {
  const { topics } = (answer ?? {}) as { topics?: unknown };
  if (!Array.isArray(topics)) throw new Error("the service sent no list of topics");
  return topics.filter((filter) => typeof filter === "string");
}
