/** How a row of a batch finds what it stands for: by its key, and locked before anything of it is looked at. */
import type { DeleteBatch, UpdateBatch, Value } from '@storeweave/core';
import type { Shape } from '../names.js';
import { lockCypher } from '../read.js';
import { Matched } from '../scope.js';
import { keyOf, parameterOf } from './rows.js';

/** Key and expected version of a row. */
export function lookUp({ entity, keys, versions }: UpdateBatch | DeleteBatch, at: number): [Value[], Value] {
  const { version } = entity;
  return [
    keyOf(entity, entity.ids, keys[at] ?? []),
    version === undefined || versions === undefined ? null : parameterOf(entity, version, versions[at]),
  ];
}

/** Finds `n` for each row and locks it. */
export function findCypher({ entity }: UpdateBatch | DeleteBatch, shape: Shape, list: string): string {
  const matched = new Matched(shape, 'n', 'a', 'b');
  return [
    `UNWIND ${list} AS row`,
    `MATCH ${matched.pattern} WHERE ${entity.ids.map((id, i) => `${matched.field(id)} = row[0][${i}]`).join(' AND ')}`,
    ...lockCypher('n'),
  ].join('\n');
}

/** The same, and goes on with those of the expected version. */
export function lockedCypher(batch: UpdateBatch | DeleteBatch, shape: Shape, list: string): string {
  const matched = new Matched(shape, 'n', 'a', 'b');
  const version = batch.versions === undefined ? undefined : batch.entity.version;
  const isMeant = version === undefined ? '' : ` WHERE ${matched.field(version)} = row[1]`;
  return `${findCypher(batch, shape, list)}\nWITH row, ${matched.names.join(', ')}${isMeant}`;
}
