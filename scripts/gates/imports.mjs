/** No import cycles, rooms and packages import in their order; the rules are in `.dependency-cruiser.cjs`. */
import { said, tool } from './command.mjs';

export async function run() {
  const result = await tool('depcruise', [
    '--no-progress',
    '--config',
    '.dependency-cruiser.cjs',
    'packages',
    'examples',
    'docs',
    'test',
    'bench',
  ]);
  const counted = /\d+ modules, \d+ dependencies cruised/.exec(result.stdout)?.[0];
  return {
    ok: result.ok && counted !== undefined,
    summary: counted ?? 'nothing was looked at',
    details: said(result),
  };
}
