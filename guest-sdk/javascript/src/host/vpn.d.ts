export * from '../types/stead-host-vpn.js';
