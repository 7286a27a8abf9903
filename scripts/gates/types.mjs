/** Every tsconfig of the repository type-checks: the root one and those of folders with decorators of the legacy kind. */
import { projectFiles, said, tool } from './command.mjs';

export async function run() {
  const projects = (await projectFiles('tsconfig.json', '**/tsconfig.json')).filter(
    (path) => !path.includes('/fixtures/'),
  );
  const details = [];
  for (const project of projects) {
    const result = await tool('tsc', ['--noEmit', '--pretty', 'false', '-p', project]);
    if (!result.ok) details.push(`${project}:`, ...said(result));
  }
  return { ok: details.length === 0, summary: `${projects.length} tsconfig files: ${projects.join(', ')}`, details };
}
