export * from '../types/stead-host-backup.js';
