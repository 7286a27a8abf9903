import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('contract.ts', import.meta.url));

function run(...given: string[]): Promise<{ status: number; out: string }> {
  const options = ['--conditions=@storeweave/source', '--import', 'tsx', script, ...given];
  return new Promise((resolve) => {
    execFile(process.execPath, options, (error, out) => resolve({ status: Number(error?.code ?? 0), out }));
  });
}

describe('npm run contract', () => {
  it('prints one JSON object, store by store', async () => {
    const { status, out } = await run('--json', '--only', 'memory', '--case', 'relational:');
    expect(status).toBe(0);
    const { memory, ...others } = JSON.parse(out);
    expect(others).toEqual({});
    expect(memory).toMatchObject({
      server: 'this process',
      version: `node ${process.version}`,
      failed: 0,
      failures: [],
    });
    expect(memory.passed).toBeGreaterThan(0);
    expect(memory.excused).toContainEqual({
      test: 'relational: SQL is part of the unit of work',
      reason: 'relational: has no relational',
    });
  });

  it('says for people what is excused and why, and fails where nothing was tried', async () => {
    const { status, out } = await run('--only', 'memory', '--case', 'relational: SQL');
    expect(status).toBe(0);
    expect(out).toContain('because: relational: has no relational');
    expect((await run('--only', 'nothing')).status).toBe(1);
  });
});
