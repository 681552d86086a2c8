// Conversations with the pure machine, byte for byte. `tx` is all that has been sent since the last one.

export const SCRIPTS: Readonly<Record<string, string>> = {
  "3.1.1: QoS 2 both steps, and again": `
    rx  10 0d 00 04 'MQTT' 04 02 00 00 00 01 'a'
    tx  20 02 00 00
    rx  34 06 00 01 't' 00 05 'x'
    tx  50 02 00 05
    rx  3c 06 00 01 't' 00 05 'x'
    tx  50 02 00 05
    rx  62 02 00 05
    tx  70 02 00 05
    rx  62 02 00 05
    tx  70 02 00 05
    open
  `,
  "3.1.1: subscribe, ping, unsubscribe, disconnect": `
    rx  10 0d 00 04 'MQTT' 04 02 00 00 00 01 'a'
    tx  20 02 00 00
    rx  82 0a 00 07 00 01 'a' 00 00 01 'b' 02
    tx  90 04 00 07 00 02
    rx  c0 00 c0 00
    tx  d0 00 d0 00
    rx  a2 05 00 08 00 01 'a'
    tx  b0 02 00 08
    rx  e0 00
    close
  `,
  "3.1.1: keep-alive of 10 s ends after 15 s of silence": `
    rx  10 0d 00 04 'MQTT' 04 02 00 0a 00 01 'a'
    tx  20 02 00 00
    at  +14s
    rx  c0 00
    tx  d0 00
    at  +14999ms
    open
    at  +1ms
    close
  `,
  "3.1.1: an unsupported level, then nothing is heard": `
    rx  10 0d 00 04 'MQTT' 02 02 00 00 00 01 'a' c0 00 30 04 00 01 't' 'x'
    tx  20 02 00 01
    close
  `,
  "3.1.1: a malformed packet ends the conversation without a word": `
    rx  10 0d 00 04 'MQTT' 04 02 00 00 00 01 'a'
    tx  20 02 00 00
    rx  36 06 00 01 't' 00 05 'x' c0 00
    close
  `,
  "3.1: a client without Session Present": `
    rx  10 0f 00 06 'MQIsdp' 03 02 00 00 00 01 'a'
    tx  20 02 00 00
    rx  c0 00
    tx  d0 00
  `,
  "3.1: bits that are not used are not looked at": `
    rx  1f 0f 00 06 'MQIsdp' 03 03 00 00 00 01 'a'
    tx  20 02 00 00
    rx  c2 00
    tx  d0 00
    rx  80 06 00 07 00 01 'a' fe
    tx  90 03 00 07 02
    rx  34 06 00 01 't' 00 01 'x'
    tx  50 02 00 01
    rx  68 02 00 01
    tx  70 02 00 01
    rx  38 04 00 01 't' 'x'
    rx  42 02 00 01
    rx  a0 05 00 08 00 01 'a'
    tx  b0 02 00 08
    open
    rx  ef 00
    close
  `,
  "3.1: what is wrong otherwise ends the conversation": `
    rx  10 0f 00 06 'MQIsdp' 03 02 00 00 00 01 'a'
    tx  20 02 00 00
    rx  c2 01 00
    close
  `,
  "3.1.1: bits that are not used have to be 0": `
    rx  10 0d 00 04 'MQTT' 04 02 00 00 00 01 'a'
    tx  20 02 00 00
    rx  c2 00
    close
  `,
  "3.1.1: an empty filter ends the conversation": `
    rx  10 0d 00 04 'MQTT' 04 02 00 00 00 01 'a'
    tx  20 02 00 00
    rx  82 09 00 07 00 01 'a' 00 00 00 00
    close
  `,
  "5.0: an empty filter ends the conversation with DISCONNECT 0x81": `
    rx  10 10 00 04 'MQTT' 05 02 00 00 02 17 00 00 01 'a'
    tx  20 0e 00 00 0b 21 04 00 27 10 00 00 04 22 00 40
    rx  a2 08 00 07 00 00 01 'a' 00 00
    tx  e0 1c 81 1a 1f 00 17 'a Topic Filter is empty'
    close
  `,
  "3.1.1: the CONNECT of a Mosquitto bridge with its default settings": `
    rx  10 0d 00 04 'MQTT' 84 02 00 1e 00 01 'x'
    tx  20 02 00 00
    rx  c0 00
    tx  d0 00
  `,
  "3.1: a bridge": `
    rx  10 0f 00 06 'MQIsdp' 83 02 00 00 00 01 'a'
    tx  20 02 00 00
    rx  c2 00
    tx  d0 00
  `,
  "5.0: a bridge": `
    rx  10 0e 00 04 'MQTT' 85 02 00 00 00 00 01 'a'
    tx  20 0e 00 00 0b 21 04 00 27 10 00 00 04 22 00 40
    rx  62 02 00 09
    tx  70 03 00 09 92
  `,
  "a level of the future is refused in the form that everybody knows": `
    rx  10 0e 00 04 'MQTT' 06 02 00 00 00 00 01 'a'
    tx  20 02 00 01
    close
  `,
  "5.0: a client that takes no CONNACK": `
    rx  10 13 00 04 'MQTT' 05 02 00 00 05 27 00 00 00 04 00 01 'a'
    close
  `,
  "5.0: a client that takes a refusal only": `
    rx  10 13 00 04 'MQTT' 05 02 00 00 05 27 00 00 00 0f 00 01 'a'
    tx  20 03 00 95 00
    close
  `,
  "5.0: with a session that was resumed an unknown identifier is no error": `
    rx  10 13 00 04 'MQTT' 05 00 00 00 05 11 00 00 00 3c 00 01 'a'
    tx  20 0e 00 00 0b 21 04 00 27 10 00 00 04 22 00 40
    cut
    rx  10 13 00 04 'MQTT' 05 00 00 00 05 11 00 00 00 3c 00 01 'a'
    tx  20 0e 01 00 0b 21 04 00 27 10 00 00 04 22 00 40
    rx  62 02 00 09
    tx  70 02 00 09
    rx  50 02 00 09
    tx  62 02 00 09
  `,
  "3.1.1: an exchange of QoS 2 goes on after the network was cut": `
    rx  10 0d 00 04 'MQTT' 04 00 00 00 00 01 'a'
    tx  20 02 00 00
    rx  34 06 00 01 't' 00 05 'x'
    tx  50 02 00 05
    cut
    rx  10 0d 00 04 'MQTT' 04 00 00 00 00 01 'a'
    tx  20 02 01 00
    rx  62 02 00 05
    tx  70 02 00 05
  `,
  "5.0: CONNACK announces the limits; unknown identifiers are told": `
    rx  10 0e 00 04 'MQTT' 05 02 00 00 00 00 01 'a'
    tx  20 0e 00 00 0b 21 04 00 27 10 00 00 04 22 00 40
    rx  62 02 00 09
    tx  70 03 00 09 92
    rx  50 02 00 09
    tx  62 03 00 09 92
  `,
  "5.0: keep-alive ends with DISCONNECT 0x8D": `
    rx  10 0e 00 04 'MQTT' 05 02 00 02 00 00 01 'a'
    tx  20 0e 00 00 0b 21 04 00 27 10 00 00 04 22 00 40
    at  +3s
    tx  e0 01 8d
    close
  `,
};
