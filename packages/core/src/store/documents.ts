/** What only a document store can do: changes inside a document, without reading it. */
import type { EntityModel } from '../model/entity-model.js';
import type { Row, Value } from '../model/field.js';
import type { Access } from './access.js';
import type { Condition, Operand } from './condition.js';

export type PatchOperation =
  | { readonly op: 'set'; readonly on: Operand; readonly value: Value }
  | { readonly op: 'unset'; readonly on: Operand }
  | { readonly op: 'inc'; readonly on: Operand; readonly by: Value }
  | { readonly op: 'push'; readonly on: Operand; readonly values: readonly Value[] } // appends to an array
  | { readonly op: 'pull'; readonly on: Operand; readonly values: readonly Value[] }; // takes out every equal element

export interface PatchSpec {
  readonly entity: EntityModel;
  /** By key, or by condition. */
  readonly target: { readonly keys: readonly Row[] } | { readonly where: Condition };
  readonly operations: readonly PatchOperation[];
}

export interface DocumentStore {
  /** Returns the number of documents changed. The core adds the version's increment to the operations. */
  patch(spec: PatchSpec, access: Access): Promise<number>;
}
