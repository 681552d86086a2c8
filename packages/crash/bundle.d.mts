/** Makes a program out of the sources in `folder`. @returns its path */
export function bundle(name: "wrenmq" | "crash", folder: string): Promise<string>;
