import type { Account } from '../types/stead-host-user.js';
export * from '../types/stead-host-user.js';

/** The user is there. */
export function present(account: Omit<Account, 'system' | 'groups'> & Partial<Pick<Account, 'system' | 'groups'>>): void;
/** The group is there, with this numeric id when one is given. */
export function group(name: string, gid?: number): void;
