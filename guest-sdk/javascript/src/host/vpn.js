import * as host from 'stead:host/vpn@0.1.0';
import { throwing } from '../errors.js';

export const addInterface = throwing(host.addInterface);
export const addPeer = throwing(host.addPeer);
export const addMesh = throwing(host.addMesh);
