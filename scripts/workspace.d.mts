/** The top of the repository, with a slash at its end. */
export const root: string;

/** The folders of all members, such as "packages/codec", sorted. */
export function members(): string[];

/** The folder of the member with that name: "packages/plugins/auth-acl" of "auth-acl". */
export function folderOf(name: string): string | undefined;
