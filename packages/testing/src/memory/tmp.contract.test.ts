
import * as vitest from 'vitest';
import { runContract } from '../contract/run.js';
import { memoryStore } from './store.js';
vitest.it('x', async () => {
  const open = async () => ({ document: memoryStore({ capabilities: { commit: { coordinates: false, participates: 'fence' } } }) });
  const r = await runContract({ open, only: 'fences/document' });
  console.log(r.passed.length, r.failed.map((f) => `${f.test}: ${String((f.error as Error).message).slice(0, 300)}`).join('\n'));
});
