/** Makes the program `NAME.mjs` in `folder` of the sources that `contents` imports, from `resolveDir`. @returns its path */
export function bundle(name: string, contents: string, resolveDir: string, folder: string): Promise<string>;

/** Makes the command. @returns its path */
export function bundleCommand(folder: string): Promise<string>;
