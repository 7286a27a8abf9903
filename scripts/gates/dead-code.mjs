/** Files, exports and dependencies that nothing uses, and dependencies that are used but not declared, by knip. */
import { said, tool } from './command.mjs';

export async function run() {
  const result = await tool('knip', ['--no-progress', '--no-config-hints']);
  return { ok: result.ok, summary: result.ok ? 'nothing unused' : 'unused or undeclared', details: said(result) };
}
