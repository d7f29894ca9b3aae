import type { Protocol, Rule, Set } from '../types/stead-host-firewall.js';
export * from '../types/stead-host-firewall.js';

/** Adds a rule to the end of its chain. */
export function addRule(rule: Pick<Rule, 'chain' | 'verdict'> & Partial<Rule>): void;
/** Adds a set, for rules of every policy. */
export function addSet(set: Omit<Set, 'dynamic'> & Partial<Pick<Set, 'dynamic'>>): void;
/** Opens a port of this host, or one that a container publishes, to a source; to everybody without one. */
export function open(protocol: Protocol, port: number, source?: string[], inputInterface?: string): void;
