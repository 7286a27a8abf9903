/** Calls the methods that a class declared for moments of its life, in order, and waits for those that are asynchronous. */
import { InvalidStateError } from '../errors/errors.js';
import type { EntityModel, LifecycleEvent } from '../model/entity-model.js';

export async function runHooks(model: EntityModel, event: LifecycleEvent, instance: object): Promise<void> {
  for (const method of model.hooks.get(event) ?? []) await call(instance, method);
}

/** For `afterLoad`, which runs where rows become instances: there is nobody to wait. */
export function runHooksNow(model: EntityModel, event: LifecycleEvent, instance: object): void {
  for (const method of model.hooks.get(event) ?? []) {
    const result = call(instance, method);
    if (typeof result === 'object' && result !== null && 'then' in result) {
      throw new InvalidStateError(
        `${model.name}.${method}() runs when a ${model.name} is loaded and must not be asynchronous. Load what it needs with populate.`,
        { entity: model.name, property: method },
      );
    }
  }
}

function call(instance: object, method: string): unknown {
  return (instance as Record<string, () => unknown>)[method]?.();
}
