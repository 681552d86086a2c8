// The origins of parcel numbers: sent once on each link; every parcel refers to one by its position.
//
//   count (length store run)*
import { encodeUtf8 } from "@wrenmq/codec";
import type { Origin } from "../parcel.ts";
import { type FieldReader, putBytes, putDouble, putUint16 } from "./fields.ts";

/** @returns the body of the frame */
export function originsBody(origins: readonly Origin[]): Uint8Array {
  const stores = origins.map(({ store }) => encodeUtf8(store));
  const body = new Uint8Array(stores.reduce((sum, { length }) => sum + 2 + length + 8, 2));
  let at = putUint16(body, 0, origins.length);
  for (const [index, store] of stores.entries()) {
    at = putBytes(body, putUint16(body, at, store.length), store);
    at = putDouble(body, at, (origins[index] as Origin).run);
  }
  return body;
}

export function readOrigins(fields: FieldReader): Origin[] {
  const origins: Origin[] = [];
  for (let left = fields.uint16(); left > 0; left--) {
    origins.push({ store: fields.text(fields.uint16()), run: fields.double() });
  }
  return origins;
}
