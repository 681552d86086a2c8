// mosquitto_pub, mosquitto_sub and mosquitto_rr over TCP and TLS.
import mqtt from "mqtt";
import { describe, expect, onTestFinished, test } from "vitest";
import { isInstalled, run, siteOfFile } from "./site.ts";

const isHere = isInstalled("/usr/bin/mosquitto_pub", "mosquitto-clients");
const LEVELS = [0, 1, 2] as const;

describe.skipIf(!isHere)("mosquitto_pub, mosquitto_sub and mosquitto_rr", () => {
  const site = siteOfFile();
  const address = (way: "tcp" | "tls"): string[] => [
    "-h",
    "127.0.0.1",
    "-p",
    String(site().ports[way]),
    ...(way === "tls" ? ["--cafile", site().certificate] : []),
  ];
  const combinations = (["tcp", "tls"] as const).flatMap((way) =>
    (["mqttv31", "mqttv311", "mqttv5"] as const).map((version) => [way, version] as const),
  );

  test.each(combinations)("over %s, %s: QoS 0, 1 and 2", async (way, version) => {
    const root = `${way}/${version}`;
    const words = [...address(way), "-V", version];
    for (const qos of LEVELS) {
      const published = await run("mosquitto_pub", [
        ...words,
        ...["-q", String(qos), "-r", "-t", `${root}/${qos}`, "-m", `v${qos}`],
      ]);
      expect(published).toMatchObject({ code: 0, stderr: "" });
    }
    const subscribed = await run("mosquitto_sub", [
      ...words,
      ...["-q", "2", "-t", `${root}/#`, "-C", "3", "-W", "20", "-F", "%t %q %r %p"],
    ]);
    expect(subscribed).toMatchObject({ code: 0, stderr: "" });
    expect(subscribed.stdout.trim().split("\n").toSorted()).toEqual(
      LEVELS.map((qos) => `${root}/${qos} ${qos} 1 v${qos}`),
    );
  });

  test.each(["tcp", "tls"] as const)("a request and its response over %s", async (way) => {
    const responder = await mqtt.connectAsync(site().url("tcp"), { protocolVersion: 5, reconnectPeriod: 0 });
    onTestFinished(() => void responder.end(true));
    await responder.subscribeAsync(`request/${way}`, { qos: 1 });
    responder.on("message", (_topic, payload, { properties }) => {
      const { responseTopic = "", correlationData } = properties ?? {};
      const answer = { qos: 1 as const, properties: { ...(correlationData === undefined ? {} : { correlationData }) } };
      responder.publish(responseTopic, `${payload.toString()}, answered`, answer);
    });
    const words = [
      ...address(way),
      "-t",
      `request/${way}`,
      "-e",
      `response/${way}`,
      "-q",
      "1",
      "-m",
      "asked",
      "-W",
      "20",
    ];
    expect(await run("mosquitto_rr", words)).toEqual({ code: 0, stdout: "asked, answered\n", stderr: "" });
  });
});
