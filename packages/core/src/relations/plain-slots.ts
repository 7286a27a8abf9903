/**
 * Where the containers of plain relations are: beside the instance, because its property holds the entities themselves.
 * Apart from `plain.ts`, so that what lies below the containers can look here, too.
 */

const slots = new WeakMap<object, Map<string, object>>();

/** The container of a plain relation, once a unit of work knows the instance. */
export function slotOf(instance: object, relation: string): object | undefined {
  return slots.get(instance)?.get(relation);
}

export function setSlot(instance: object, relation: string, container: object): void {
  const own = slots.get(instance);
  if (own === undefined) slots.set(instance, new Map([[relation, container]]));
  else own.set(relation, container);
}
