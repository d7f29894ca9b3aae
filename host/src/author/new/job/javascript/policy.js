// Runs a script in a machine of its own; the result is what it printed.

import { job } from 'stead-guest';
import { on } from 'stead-guest/job';
import { info } from 'stead-guest/log';
import * as vm from 'stead-guest/vm';

export const run = job(({ image, script }) => {
  vm.launch('worker', { image });
  vm.waitReady(['worker']);
  info('the machine is there');
  return { printed: on('worker', script) };
});
