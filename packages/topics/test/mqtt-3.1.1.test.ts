import { describe } from "vitest";
import { section47 } from "./section-4-7.ts";

describe("MQTT 3.1.1", () => {
  section47({
    wildcardsOnlyInFilters: "MQTT-4.7.1-1",
    hashPlacement: "MQTT-4.7.1-2",
    plusPlacement: "MQTT-4.7.1-3",
    dollar: "MQTT-4.7.2-1",
    notEmpty: "MQTT-4.7.3-1",
    noNul: "MQTT-4.7.3-2",
    noNormalization: "MQTT-4.7.3-4",
  });
});
