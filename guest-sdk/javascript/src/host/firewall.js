import * as host from 'stead:host/firewall@0.1.0';
import { throwing, whole } from '../errors.js';

const NONE = { source: [], destination: [], ports: [], sourcePorts: [], icmpTypes: [], ctState: {}, counter: false };

export const addRule = throwing((rule) => host.addRule({ ...NONE, ...rule }));
export const defaultVerdict = throwing(host.defaultVerdict);
export const addSet = throwing(({ dynamic = false, ...rest }) => host.addSet({ dynamic, ...rest }));
export const addMap = throwing(host.addMap);
export const raw = throwing(host.raw);
export const open = throwing((protocol, port, source = [], inputInterface) =>
  host.open(protocol, whole(port, 'port'), source, inputInterface),
);
