/** Runs in an empty project that has nothing but the packed packages: one unit of work, as an ES module. */
import { defineEntity, p, Storeweave } from '@storeweave/core';
import { embedded } from '@storeweave/embedded';

class Parcel extends defineEntity({ name: 'Parcel', model: 'relational', props: { id: p.id(), label: p.string() } }) {}

const weave = await Storeweave.open({ entities: [Parcel], stores: embedded() });
try {
  await weave.transaction(async (uow) => {
    uow.create(Parcel, { label: 'from a module' });
  });
  const [parcel] = await weave.repository(Parcel).find();
  if (!(parcel instanceof Parcel)) throw new Error('what was read back is no Parcel');
  console.log(parcel.label);
} finally {
  await weave.close();
}
