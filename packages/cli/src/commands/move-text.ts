/** What a move says to people: how far it is, and what came of it. */
import type { MoveProgress, MoveReport } from '@storeweave/core';
import { columns, type Output } from '../output.js';

/** A line for each phase when it begins, at most one in a second while it goes on, and one at its end. */
export class Meter {
  #phase = '';
  #last = 0;
  #began = 0;

  constructor(private readonly output: Output) {}

  show({ entity, phase, done, total }: MoveProgress): void {
    const now = performance.now();
    const isNew = this.#phase !== `${phase} ${entity}`;
    if (isNew) [this.#phase, this.#began] = [`${phase} ${entity}`, now];
    const isOver = done >= total && phase !== 'catch up';
    if (!isNew && !isOver && now - this.#last < 1_000) return;
    this.#last = now;
    const width = 30;
    const filled = total === 0 ? width : Math.min(width, Math.round((done / total) * width));
    const seconds = (now - this.#began) / 1_000;
    const pace = seconds > 0 ? `, ${Math.round(done / seconds)} rows/s` : '';
    this.output.progress(
      `${this.#phase} ${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${done} of ${total}${pace}`,
    );
  }
}

/** Both sides of each entity, and where they differ. */
export function describeMove({ entities }: MoveReport): string {
  const head = ['entity', 'source', 'target', 'copied', 'repaired', 'content'];
  const rows = entities.map((moved) => [
    moved.entity,
    String(moved.source),
    String(moved.target),
    String(moved.copied),
    String(moved.repaired),
    moved.sourceDigest === moved.targetDigest ? `equal ${moved.sourceDigest.slice(0, 12)}` : 'DIFFERENT',
  ]);
  const differences = entities.flatMap((moved) =>
    moved.differences.map(
      ({ key, kind, fields }) =>
        `- ${moved.entity} ${key.map(String).join(', ')}: ${kind}${fields === undefined ? '' : ` in ${fields.join(', ')}`}`,
    ),
  );
  return [columns([head, ...rows]), ...differences].join('\n');
}
