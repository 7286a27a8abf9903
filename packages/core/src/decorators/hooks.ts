/** Methods that are called at moments of an entity's life, with the entity as `this`. Base classes come first. */
import type { LifecycleEvent } from '../model/entity-model.js';
import { memberPlace } from './place.js';
import type { HookMethod } from './shape.js';

/** Before an entity is first written, in the flush that writes it; changes of it are written with it. */
export function BeforeInsert(): HookMethod {
  return hook('BeforeInsert', 'beforeInsert');
}

/** After an entity was first written, within the transaction. */
export function AfterInsert(): HookMethod {
  return hook('AfterInsert', 'afterInsert');
}

/** Before a changed entity is written; changes of it are written with it. */
export function BeforeUpdate(): HookMethod {
  return hook('BeforeUpdate', 'beforeUpdate');
}

/** After a changed entity was written, within the transaction. */
export function AfterUpdate(): HookMethod {
  return hook('AfterUpdate', 'afterUpdate');
}

/** Before an entity is deleted, or marked as deleted. */
export function BeforeDelete(): HookMethod {
  return hook('BeforeDelete', 'beforeDelete');
}

/** After an entity was deleted, or marked as deleted, within the transaction. */
export function AfterDelete(): HookMethod {
  return hook('AfterDelete', 'afterDelete');
}

/** After an entity was made from a row. */
export function AfterLoad(): HookMethod {
  return hook('AfterLoad', 'afterLoad');
}

function hook(by: string, event: LifecycleEvent): HookMethod {
  return (target, at) => {
    const place = memberPlace(by, target, at);
    place?.declarations.hooks.push({ event, method: place.name });
  };
}
