/** Format, order of imports and lint, by Biome; it changes nothing. To mend: `npx biome check --write`. */
import { said, tool } from './command.mjs';

export async function run() {
  const result = await tool('biome', ['ci', '--colors=off', '--max-diagnostics=40', '--error-on-warnings']);
  const summary = /Checked (\d+ files)/.exec(result.stdout + result.stderr)?.[0] ?? 'no files checked';
  return { ok: result.ok, summary, details: said(result, 120) };
}
