// Names of fields as options are written.

/** `clientId` → `client-id`; commander turns it back. */
export function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
