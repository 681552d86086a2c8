import { authAnonymous } from "@wrenmq/auth-anonymous";
import { createBroker } from "@wrenmq/broker";

const listeners = { local: { type: "tcp", host: "127.0.0.1", port: 0 } } as const;
await using broker = createBroker({ listeners, plugins: [authAnonymous()] });
broker.on("connected", ({ clientId }) => console.log(`${clientId} is here`));
await broker.start();
console.log(`clients may connect to ${broker.addresses.get("local")}`);
broker.publish("news", "hello", { retain: true });
for (const { topic, payload } of broker.retained("news")) console.log(topic, new TextDecoder().decode(payload));
