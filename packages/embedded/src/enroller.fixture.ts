/** A process that commits units of work over four models in a data folder, and tells each that was acknowledged. */
import { Storeweave } from '@storeweave/core';
import { embedded } from './embedded.js';
import { enroll, entities } from './four-models.fixture.js';

const [path = '', first] = process.argv.slice(2);
const weave = await Storeweave.open({ entities, stores: embedded({ path }) });
for (let number = Number(first); ; number++) {
  await enroll(weave, number);
  process.send?.(number);
}
