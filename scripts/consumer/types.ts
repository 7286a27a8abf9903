/** The packed declarations, as a stranger's compiler sees them. */
import { defineEntity, p, type Receipt, Storeweave } from '@storeweave/core';
import { embedded } from '@storeweave/embedded';

export class Parcel extends defineEntity({
  name: 'Parcel',
  model: 'relational',
  props: { id: p.id(), label: p.string(), weight: p.float({ nullable: true }) },
}) {}

export async function store(label: string): Promise<[Receipt | undefined, number | null]> {
  await using weave = await Storeweave.open({ entities: [Parcel], stores: embedded({}) });
  await using session = weave.session();
  const parcel = session.create(Parcel, { label });
  const receipt = await session.commit();
  // @ts-expect-error a string is not a number: the declarations carry the types of the properties
  parcel.weight = 'heavy';
  return [receipt, parcel.weight];
}
