/** The same from CommonJS: packages are ES modules without top-level await, so `require` loads them (Node 20.19+). */
const { defineEntity, p, Storeweave } = require('@storeweave/core');
const { embedded } = require('@storeweave/embedded');

class Parcel extends defineEntity({ name: 'Parcel', model: 'relational', props: { id: p.id(), label: p.string() } }) {}

async function main() {
  const weave = await Storeweave.open({ entities: [Parcel], stores: embedded() });
  try {
    await weave.transaction(async (uow) => {
      uow.create(Parcel, { label: 'from require' });
    });
    const [parcel] = await weave.repository(Parcel).find();
    if (!(parcel instanceof Parcel)) throw new Error('what was read back is no Parcel');
    console.log(parcel.label);
  } finally {
    await weave.close();
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
