/**
 * Orders deletions so that what refers is gone before what it refers to. Decided by classes, since a batch is one class;
 * where classes refer to each other in a circle, the rows' nullable references are set to null before anything is deleted.
 */
import type { EntityModel } from '../model/entity-model.js';
import type { Field } from '../model/field.js';
import type { DeleteChange } from './change.js';

export interface DeleteOrder {
  readonly batches: readonly (readonly DeleteChange[])[];
  /** References to be set to null first. */
  readonly released: readonly { readonly changes: readonly DeleteChange[]; readonly fields: readonly Field[] }[];
}

interface Reference {
  readonly child: EntityModel;
  readonly parent: EntityModel;
  readonly fields: readonly Field[];
}

export function orderDeletes(changes: readonly DeleteChange[]): DeleteOrder {
  const groups = new Map<EntityModel, DeleteChange[]>();
  for (const change of changes) {
    const group = groups.get(change.entity);
    if (group === undefined) groups.set(change.entity, [change]);
    else group.push(change);
  }
  const references = new Set(
    [...groups.keys()].flatMap((entity) =>
      referencesOf(entity).filter((r) => r.parent !== r.child && groups.has(r.parent) && groups.has(r.child)),
    ),
  );
  const released: { changes: readonly DeleteChange[]; fields: readonly Field[] }[] = [];
  const batches: DeleteChange[][] = [];
  // Rows that only link others go first: nothing refers to them.
  const waiting = [...groups.keys()].sort((a, b) => rank(a) - rank(b));
  while (waiting.length > 0) {
    const free = waiting.find(
      (entity) => ![...references].some((r) => r.parent === entity && waiting.includes(r.child)),
    );
    if (free !== undefined) {
      batches.push(groups.get(free) ?? []);
      waiting.splice(waiting.indexOf(free), 1);
      continue;
    }
    const open = [...references].filter((r) => waiting.includes(r.child) && waiting.includes(r.parent));
    const weakest = open.find((r) => r.fields.every((field) => field.nullable && !field.id)) ?? open[0];
    if (weakest === undefined) break;
    references.delete(weakest);
    const holding = (groups.get(weakest.child) ?? []).filter((change) => holds(change, weakest.fields));
    if (holding.length > 0 && weakest.fields.every((field) => field.nullable && !field.id)) {
      released.push({ changes: holding, fields: weakest.fields });
    }
  }
  return { batches, released };
}

function rank(entity: EntityModel): number {
  return entity.kind === 'link' || entity.kind === 'relationship' ? 0 : 1;
}

function holds(change: DeleteChange, fields: readonly Field[]): boolean {
  return fields.some((field) => change.row?.[field.index] !== null && change.row?.[field.index] !== undefined);
}

/** References inside one store, as either side declares them: a store may enforce them. */
function referencesOf(entity: EntityModel): Reference[] {
  return entity.relations.flatMap(({ join, target }): Reference[] => {
    if (join.via === 'link' || target.store !== entity.store) return [];
    return join.via === 'owner'
      ? [{ child: entity, parent: target, fields: join.fields }]
      : [{ child: target, parent: entity, fields: join.targetFields }];
  });
}
