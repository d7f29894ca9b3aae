export * from '../types/stead-host-clock.js';
