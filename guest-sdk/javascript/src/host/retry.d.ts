export * from '../types/stead-host-retry.js';
