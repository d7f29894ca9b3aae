export * from '../types/stead-host-facts.js';
