// Paho for Python over every transport and in every version.
import { beforeAll, describe, expect, test } from "vitest";
import { run, siteOfFile, VERSIONS, type Way } from "./site.ts";

const PYTHON = ["/usr/bin/python3", "python3"];
const BURST = 100;
/** Subscribes, publishes at QoS 0, 1 and 2 and then a burst, and prints what comes back. */
const SCRIPT = `
import socket, ssl, sys, paho.mqtt.client as mqtt
way, address, version, certificate = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
root, burst = "py/%s/%d/" % (way, version), ${BURST}
got = []
class Client(mqtt.Client):
    pass
if way == "unix":
    # Versions before 2 do not know Unix sockets.
    def unix(self):
        s = socket.socket(socket.AF_UNIX)
        s.connect(address)
        return s
    Client._create_socket_connection = unix
def on_connect(c, *_):
    filters = [(root + str(q), q) for q in range(3)] + [(root + "burst", 1)]
    c.subscribe(filters if version != 5 else [(f, mqtt.SubscribeOptions(qos=q)) for f, q in filters])
def on_subscribe(c, *_):
    for q in range(3): c.publish(root + str(q), "x%d" % q, qos=q)
    for i in range(burst): c.publish(root + "burst", str(i), qos=1)
def on_message(c, u, m):
    got.append("%s %s %d" % (m.topic[len(root):], m.payload.decode(), m.qos))
    if len(got) == 3 + burst: c.disconnect()
transport = "websockets" if way in ("ws", "wss") else "tcp"
options = {"client_id": "paho-%s-%d" % (way, version), "protocol": version, "transport": transport}
try: c = Client(mqtt.CallbackAPIVersion.VERSION1, **options)
except AttributeError: c = Client(**options)
if transport == "websockets": c.ws_set_options(path="/mqtt")
if way in ("tls", "wss"): c.tls_set(certificate)
c.max_inflight_messages_set(20)
c.on_connect, c.on_subscribe, c.on_message = on_connect, on_subscribe, on_message
c.connect("127.0.0.1", 1883 if way == "unix" else int(address))
c.loop_forever()
print("\\n".join(sorted(g for g in got if not g.startswith("burst"))))
print(" ".join(g.split()[1] for g in got if g.startswith("burst")))
`;

describe("Paho for Python", () => {
  const site = siteOfFile();
  let python: string | undefined;
  beforeAll(async () => {
    for (const program of PYTHON) {
      const { code } = await run(program, ["-c", "import paho.mqtt.client"]).catch(() => ({ code: 1 }));
      if (code !== 0) continue;
      python = program;
      return;
    }
    process.stderr.write("notice: the tests with Paho for Python are skipped: python3-paho-mqtt is not installed\n");
  });

  const combinations = (["tcp", "tls", "ws", "wss", "unix"] as const satisfies readonly Way[]).flatMap((way) =>
    VERSIONS.map(([label, version]) => [way, label, version] as const),
  );
  test.for(combinations)("over %s, version %s: QoS 0, 1 and 2, and a burst", async ([way, , version], { skip }) => {
    if (python === undefined) return skip("python3-paho-mqtt is not installed");
    const { socket, ports, certificate } = site();
    const address = way === "unix" ? socket : String(ports[way]);
    const { code, stdout, stderr } = await run(python, ["-c", SCRIPT, way, address, String(version), certificate]);
    expect({ code, stdout }, stderr).toEqual({
      code: 0,
      stdout: `0 x0 0\n1 x1 1\n2 x2 2\n${Array.from({ length: BURST }, (_, index) => index).join(" ")}\n`,
    });
  });
});
