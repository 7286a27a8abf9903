#!/usr/bin/env node
/**
 * `npm run check [-- --json] [-- NAME…]`: runs every gate (or the named ones), each with its time and outcome. A gate
 * that fails does not stop the others; the exit code is 1 if any failed, and 2 for a gate that does not exist.
 * With `--json` standard output is one array of `{ gate, ok, ms, summary, details }` and nothing else.
 */
import { parseArgs } from 'node:util';
import { run as deadCode } from './gates/dead-code.mjs';
import { run as docsSnippets } from './gates/docs-snippets.mjs';
import { run as fileLength } from './gates/file-length.mjs';
import { run as forbiddenWords } from './gates/forbidden-words.mjs';
import { run as format } from './gates/format.mjs';
import { run as imports } from './gates/imports.mjs';
import { run as packages } from './gates/packages.mjs';
import { run as skippedTests } from './gates/skipped-tests.mjs';
import { run as types } from './gates/types.mjs';

/** Each resolves to `{ ok, summary, details }`: one line for people, and what to look at where it failed. */
const GATES = {
  types,
  format,
  imports,
  'dead-code': deadCode,
  packages,
  'file-length': fileLength,
  'docs-snippets': docsSnippets,
  'forbidden-words': forbiddenWords,
  'skipped-tests': skippedTests,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false } },
});
const unknown = positionals.filter((name) => !(name in GATES));
if (unknown.length > 0) {
  console.error(`There is no gate named ${unknown.join(', ')}; there are: ${Object.keys(GATES).join(', ')}.`);
  process.exit(2);
}

const outcomes = [];
for (const gate of positionals.length > 0 ? positionals : Object.keys(GATES)) {
  const started = performance.now();
  let outcome;
  try {
    outcome = await GATES[gate]();
  } catch (error) {
    outcome = { ok: false, summary: 'the gate itself failed', details: [error.stack ?? String(error)] };
  }
  const ms = Math.round(performance.now() - started);
  outcomes.push({ gate, ok: outcome.ok, ms, summary: outcome.summary, details: outcome.details });
  if (!values.json) {
    console.log(
      `${outcome.ok ? 'ok  ' : 'FAIL'} ${gate.padEnd(16)} ${(ms / 1000).toFixed(1).padStart(6)} s  ${outcome.summary}`,
    );
    if (!outcome.ok) for (const line of outcome.details) console.log(`       ${line.replaceAll('\n', '\n       ')}`);
  }
}

const failed = outcomes.filter((outcome) => !outcome.ok);
if (values.json) console.log(JSON.stringify(outcomes));
else {
  const names = failed.map((outcome) => outcome.gate).join(', ');
  console.log(
    failed.length === 0
      ? `All ${outcomes.length} gates hold.`
      : `${failed.length} of ${outcomes.length} gates failed: ${names}.`,
  );
}
process.exitCode = failed.length === 0 ? 0 : 1;
