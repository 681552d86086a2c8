// Names of fields as names of options.

/** `clientId` → `client-id`; commander converts it back. */
export function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
