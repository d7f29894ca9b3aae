export * from '../types/stead-host-sysctl.js';
