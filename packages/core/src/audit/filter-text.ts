/** A filter in words, for records of reads. Values that are not to be seen do not get into it. */
import type { EntityModel } from '../model/entity-model.js';
import type { Field, Value } from '../model/field.js';
import type { Condition, Operand } from '../store/condition.js';
import { shownValue, storableText } from './plain-value.js';
import type { AuditPolicies } from './policy.js';

/** Values of one list, and characters in all, that a description has at most. */
const MOST_VALUES = 20;
const MOST_CHARACTERS = 4_000;

const SIGNS = { eq: '=', ne: '<>', gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

/** Undefined where everything matches. */
export function filterText(
  entity: EntityModel,
  where: Condition | undefined,
  policies: AuditPolicies,
): string | undefined {
  if (where === undefined || (where.op === 'and' && where.conditions.length === 0)) return undefined;
  const text = storableText(new FilterText(policies).of(entity, where));
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}

class FilterText {
  constructor(private readonly policies: AuditPolicies) {}

  of(entity: EntityModel, condition: Condition): string {
    switch (condition.op) {
      case 'and':
      case 'or':
        if (condition.conditions.length === 0) return condition.op === 'and' ? 'true' : 'false';
        return `(${condition.conditions.map((part) => this.of(entity, part)).join(` ${condition.op} `)})`;
      case 'not':
        return `not ${this.of(entity, condition.condition)}`;
      case 'in':
      case 'notIn': {
        const word = condition.op === 'in' ? 'in' : 'not in';
        return `${name(condition.on)} ${word} ${list(condition.values, (value) => this.#value(entity, condition.on.field, value))}`;
      }
      case 'between': {
        const { on, low, high } = condition;
        return `${name(on)} between ${this.#value(entity, on.field, low)} and ${this.#value(entity, on.field, high)}`;
      }
      case 'like':
      case 'ilike':
        return `${name(condition.on)} ${condition.op} ${this.#value(entity, condition.on.field, condition.pattern)}`;
      case 'contains':
        return `${name(condition.on)} contains ${this.#value(entity, condition.on.field, condition.value)}`;
      case 'exists':
        return `${name(condition.on)} is ${condition.present ? 'not null' : 'null'}`;
      case 'keys': {
        const { fields, rows } = condition;
        const row = (values: readonly Value[]) =>
          `(${fields.map((field, at) => this.#value(entity, field, values[at])).join(', ')})`;
        return `(${fields.map((field) => field.name).join(', ')}) in ${list(rows, row)}`;
      }
      case 'related':
        return `${condition.relation.name} has ${this.of(condition.relation.target, condition.where)}`;
      default:
        return `${name(condition.on)} ${SIGNS[condition.op]} ${this.#value(entity, condition.on.field, condition.value)}`;
    }
  }

  #value(entity: EntityModel, field: Field, value: Value): string {
    return JSON.stringify(shownValue(this.policies.get(entity), field, value));
  }
}

function name({ field, path = [] }: Operand): string {
  return [field.name, ...path].join('.');
}

function list<T>(values: readonly T[], text: (value: T) => string): string {
  const shown = values.slice(0, MOST_VALUES).map(text).join(', ');
  const rest = values.length - MOST_VALUES;
  return `(${shown}${rest > 0 ? ` and ${rest.toLocaleString('en')} more` : ''})`;
}
