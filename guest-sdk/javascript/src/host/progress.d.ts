export * from '../types/stead-host-progress.js';
