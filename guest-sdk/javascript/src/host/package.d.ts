import type { Options, Repository } from '../types/stead-host-package.js';
export * from '../types/stead-host-package.js';

type Maybe<T, K extends keyof T> = Omit<T, K> & Partial<Pick<T, K>>;

/** The package is installed. */
export function install(name: string, options?: Options): void;
/** The repository is known to apt. It is there before any package is installed. */
export function addRepository(repository: Maybe<Repository, 'types' | 'components' | 'architectures'>): void;
