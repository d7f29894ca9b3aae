import * as host from 'stead:host/progress@0.1.0';
import { throwing, whole } from '../errors.js';

export const report = throwing((permille, message) => host.report(whole(permille, 'permille'), message));
