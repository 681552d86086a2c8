// Options of both `wrenmq pub` and `wrenmq sub`: those of aMQTT's commands, and further ones.
import { Command, InvalidArgumentError } from "commander";
import { portNumber } from "../option-values.ts";
import type { ProtocolName } from "./client-options.ts";
import { PASSWORD_VARIABLE } from "./password-variable.ts";

export function clientCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .helpOption("--help", "display help for command")
    .option("--url <url>", "mqtt, mqtts, ws or wss://[user:password@]host[:port] (default: mqtt://127.0.0.1:1883)")
    .option("-h, --host <host>", "host of the broker, instead of --url")
    .option("-p, --port <port>", "its port (default: 1883, with TLS 8883)", portNumber)
    .option("-u, --user <name>", "user name")
    .option("-P, --password [password]", `password; without a value it is asked for, or in ${PASSWORD_VARIABLE}`)
    .option("--password-file <file>", "the password is the first line of a file")
    .option("-c, --config-file <file>", "client configuration in aMQTT's form (YAML)")
    .option("-i, --client-id <id>", `client identifier (default: wrenmq-${name}/PID-HOST)`)
    .option("-q, --qos <level>", "quality of service: 0, 1 or 2 (default: 0)", qosLevel)
    .option("-k, --keep-alive <seconds>", "keep alive (default: 10)", seconds)
    .option("--clean-session", "start without the session of the last time (default)")
    .option("--no-clean-session", "go on with the session of the last time")
    .option("-V, --protocol <version>", "version of MQTT: 3.1, 3.1.1 or 5", protocolName, "3.1.1")
    .option("--ca-file <file>", "authorities that may have signed the server's certificate: PEM")
    .option("--ca-path <folder>", "the same as a folder of PEM files")
    .option("--ca-data <text>", "the same as PEM text")
    .option("--cert-file <file>", "our certificate: PEM")
    .option("--key-file <file>", "its private key: PEM")
    .option("--insecure", "accept any certificate")
    .option("--will-topic <topic>", "topic of the will")
    .option("--will-message <text>", "message of the will")
    .option("--will-qos <level>", "quality of service of the will", qosLevel)
    .option("--will-retain", "keep the will as the topic's retained message")
    .option("--extra-headers <json>", "HTTP headers of a WebSocket connection, as a JSON object", headers)
    .option("-d, --debug", "print every packet on stderr");
}

/** Accepts `5`, and the names of mosquitto's commands: `mqttv5`, `mqttv311`, `311`. */
function protocolName(word: string): ProtocolName {
  const found = { "31": "3.1", "311": "3.1.1", "5": "5", "50": "5" }[word.replace(/^mqttv/i, "").replaceAll(".", "")];
  if (found !== undefined) return found as ProtocolName;
  throw new InvalidArgumentError("It is 3.1, 3.1.1 or 5 (or mqttv31, mqttv311, mqttv5).");
}

export function qosLevel(word: string): 0 | 1 | 2 {
  if (word === "0" || word === "1" || word === "2") return Number(word) as 0 | 1 | 2;
  throw new InvalidArgumentError("It is 0, 1 or 2.");
}

export function positive(word: string): number {
  const count = Number(word);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new InvalidArgumentError("Expected a whole number above 0.");
}

function seconds(word: string): number {
  const value = Number(word);
  if (/^\d+$/.test(word) && value <= 65_535) return value;
  throw new InvalidArgumentError("Expected whole seconds from 0 to 65535.");
}

function headers(word: string): Record<string, string> {
  try {
    const value: unknown = JSON.parse(word);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    if (isObject && Object.values(value).every((each) => typeof each === "string")) {
      return value as Record<string, string>;
    }
  } catch {
    // Reported below.
  }
  throw new InvalidArgumentError('Expected a JSON object of texts, such as {"X-Token":"abc"}.');
}
