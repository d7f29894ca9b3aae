// Counts the words of files, in a machine of its own: the same job in every language.

import { Failure, job } from 'stead-guest';
import * as artifact from 'stead-guest/artifact';
import * as clock from 'stead-guest/clock';
import { on } from 'stead-guest/job';
import { info } from 'stead-guest/log';
import * as progress from 'stead-guest/progress';
import * as vm from 'stead-guest/vm';

const MACHINE = 'counter';

export const run = job(({ image, files: names }) => {
  const began = clock.now();
  vm.launch(MACHINE, { image, lifetime: 600 });
  vm.waitReady([MACHINE]);
  info(`${MACHINE} is there`);
  const files = names.map((name, done) => {
    const counted = { name, words: words(name) };
    progress.report(Math.floor((1000 * (done + 1)) / names.length), name);
    return counted;
  });
  const lines = files.map(({ name, words }) => `${words} ${name}\n`).join('');
  artifact.put('counts', lines);
  vm.destroy(MACHINE);
  return { began, files, total: files.reduce((total, { words }) => total + words, 0) };
});

function words(name) {
  const path = `/srv/${name}`;
  vm.upload(MACHINE, { tag: 'artifact', val: name }, path);
  const printed = on(MACHINE, `wc -w < ${path}`);
  if (!/^\d+\s*$/.test(printed)) throw new Failure(`${name}: no number: ${printed}`);
  return Number(printed);
}
