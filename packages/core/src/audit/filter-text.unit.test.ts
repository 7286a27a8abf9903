import { describe, expect, it } from 'vitest';
import { type Condition, compileDomain, defineEntity, type EntityModel, p } from '../index.js';
import { filterText } from './filter-text.js';
import { auditPolicies } from './policy.js';

class Doctor extends defineEntity({
  name: 'Doctor',
  model: 'relational',
  props: { id: p.id(), pin: p.string() },
  audited: { redact: ['pin'] },
}) {}
class Patient extends defineEntity({
  name: 'Patient',
  model: 'relational',
  props: {
    id: p.id('integer', { generated: false }),
    name: p.string(),
    secret: p.jsonOrNull(),
    doctor: () => p.manyToOne(Doctor),
  },
  audited: { reads: true, redact: ['secret'] },
}) {}
const domain = compileDomain([Patient, Doctor]);
const patient = domain.of(Patient);
const text = (where: Condition | undefined) => filterText(patient, where, auditPolicies(domain));
const on = (name: string, entity: EntityModel = patient, path?: readonly string[]) => {
  const field = entity.fieldsByName.get(name);
  if (field === undefined) throw new Error(name);
  return { field, ...(path && { path }) };
};

describe('a filter in words', () => {
  it('is nothing where everything matches', () => {
    expect(text(undefined)).toBeUndefined();
    expect(text({ op: 'and', conditions: [] })).toBeUndefined();
    expect(text({ op: 'or', conditions: [] })).toBe('false');
  });

  it('has every operator', () => {
    const conditions: readonly Condition[] = [
      { op: 'eq', on: on('id'), value: 1 },
      { op: 'ne', on: on('id'), value: 2 },
      { op: 'between', on: on('id'), low: 1, high: 9 },
      { op: 'notIn', on: on('id'), values: [3, 4] },
      { op: 'like', on: on('name'), pattern: 'a%' },
      { op: 'contains', on: on('name'), value: 'x"y' },
      { op: 'exists', on: on('name'), present: false },
      { op: 'not', condition: { op: 'gte', on: on('id'), value: 5 } },
      { op: 'keys', fields: [on('id').field, on('name').field], rows: [[1, 'a']] },
    ];
    expect(text({ op: 'and', conditions })).toBe(
      '(id = 1 and id <> 2 and id between 1 and 9 and id not in (3, 4) and name like "a%" and name contains "x\\"y" and name is null and not id >= 5 and (id, name) in ((1, "a")))',
    );
  });

  it('shows nothing of what is redacted, here or behind a relation', () => {
    const relation = patient.relationsByName.get('doctor');
    if (relation === undefined) throw new Error('no relation');
    const hidden: Condition = {
      op: 'or',
      conditions: [
        { op: 'eq', on: on('secret', patient, ['code']), value: 'hush' },
        { op: 'in', on: on('secret'), values: ['hush'] },
        {
          op: 'related',
          relation,
          where: { op: 'eq', on: on('pin', domain.of(Doctor)), value: 'hush' },
        },
      ],
    };
    expect(text(hidden)).toBe(
      '(secret.code = "[redacted]" or secret in ("[redacted]") or doctor has pin = "[redacted]")',
    );
  });

  it('is bounded, however many keys are asked for', () => {
    const values = Array.from({ length: 10_000 }, (_, at) => at);
    expect(text({ op: 'in', on: on('id'), values })).toMatch(/19 and 9,980 more\)$/);
    expect(text({ op: 'eq', on: on('name'), value: 'x'.repeat(100_000) })?.length).toBeLessThan(5_000);
  });
});
