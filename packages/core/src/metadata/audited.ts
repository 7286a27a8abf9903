/** Mistakes in `@Audited`: names that are no properties, and rules that contradict each other. */
import { describeValue } from '../model/codec.js';
import type { EntityDraft } from './draft.js';
import { suggestion } from './indexes.js';
import type { Problems } from './problems.js';

const OPTIONS = ['reads', 'redact', 'only'];

/** Checks what a class says about its audit, once its fields and relations are known. */
export function checkAudited(draft: EntityDraft, problems: Problems): void {
  const annotation = draft.annotations.find(({ key }) => key === 'audited');
  if (annotation === undefined) return;
  const say = (message: string) => problems.add(draft.name, undefined, `@${annotation.by}: ${message}`);
  const { value } = annotation;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    say(`its options are ${describeValue(value)}. Give an object: { reads, redact, only }.`);
    return;
  }
  for (const name of Object.keys(value)) {
    if (!OPTIONS.includes(name)) say(`there is no option '${name}'. Known are ${OPTIONS.join(', ')}.`);
  }
  const { reads, redact, only } = value as Readonly<Record<string, unknown>>;
  if (reads !== undefined && typeof reads !== 'boolean') say(`reads is ${describeValue(reads)}. It is true or false.`);
  const redacted = namesOf('redact', redact, say);
  const recorded = namesOf('only', only, say);
  for (const name of redacted) checkRedacted(draft, name, recorded, say);
  for (const name of recorded) {
    if (isLinked(draft, name) || fieldsOf(draft, name).length > 0 || draft.broken.has(name)) continue;
    say(`only names '${name}', which is no property of ${draft.name} that is stored.${suggestion(draft, name)}`);
  }
  if (Array.isArray(only) && only.length === 0) say('only names nothing. Leave it out to record every property.');
}

type Say = (message: string) => void;

function checkRedacted(draft: EntityDraft, name: string, recorded: readonly string[], say: Say): void {
  const fields = fieldsOf(draft, name);
  if (fields.length === 0) {
    if (draft.broken.has(name)) return;
    say(`redact names '${name}', which is no property of ${draft.name} that is stored.${suggestion(draft, name)}`);
  } else if (fields.some((field) => field.id)) {
    say(`redact names '${name}', which identifies the ${draft.name}: every record says it. Take it out of redact.`);
  } else if (recorded.length > 0 && !fields.some((field) => recorded.some((other) => isWithin(field.name, other)))) {
    say(`redact names '${name}', which is not recorded at all: only leaves it out. Take it out of redact.`);
  }
}

function namesOf(option: string, value: unknown, say: Say): readonly string[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every((name) => typeof name === 'string')) return value;
  say(`${option} is ${describeValue(value)}. Give a list of properties.`);
  return [];
}

/** A property, all leaves of an embedded object, or all parts of a reference's key. */
function fieldsOf(draft: EntityDraft, name: string) {
  return draft.model.fields.filter((field) => isWithin(field.name, name));
}

function isWithin(field: string, name: string): boolean {
  return field === name || field.startsWith(`${name}.`);
}

function isLinked(draft: EntityDraft, name: string): boolean {
  return draft.model.relations.some((relation) => relation.name === name && relation.join.via === 'link');
}
