/**
 * What of an entity is on record: compiled once from `@Audited`. The hidden entities behind many-to-many and graph
 * relations are on record where one of their sides is: who got which role is a change of the user.
 */
import type { DomainModel } from '../model/domain-model.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Field } from '../model/field.js';

/** The rules for one entity. */
export interface AuditPolicy {
  readonly entity: EntityModel;
  /** Queries of it are on record, too. */
  readonly reads: boolean;
  /** Fields that records have, in the entity's order. */
  readonly fields: readonly Field[];
  /** Those of them whose values are not shown. */
  readonly redacted: ReadonlySet<Field>;
}

export type AuditPolicies = ReadonlyMap<EntityModel, AuditPolicy>;

/** As `open()` has checked it. */
interface Rules {
  readonly reads?: boolean;
  readonly redact?: readonly string[];
  readonly only?: readonly string[];
}

export function auditPolicies(domain: DomainModel): AuditPolicies {
  const policies = new Map<EntityModel, AuditPolicy>();
  for (const entity of domain.entities) {
    const rules = entity.annotations.get('audited') as Rules | undefined;
    if (rules === undefined) continue;
    policies.set(entity, policyOf(entity, rules));
    for (const { name, join } of entity.relations) {
      if (join.via !== 'link' || join.link.kind !== 'link' || rules.only?.includes(name) === false) continue;
      const { link } = join;
      policies.set(link, { entity: link, reads: false, fields: link.fields, redacted: new Set() });
    }
  }
  return policies;
}

function policyOf(entity: EntityModel, { reads = false, redact = [], only }: Rules): AuditPolicy {
  const isNamed = (field: Field, names: readonly string[]) =>
    names.some((name) => field.name === name || field.name.startsWith(`${name}.`));
  return {
    entity,
    reads,
    fields: only === undefined ? entity.fields : entity.fields.filter((field) => isNamed(field, only)),
    redacted: new Set(entity.fields.filter((field) => isNamed(field, redact))),
  };
}
