/** Turns what a store's library says of a class into the declarations that every front end writes. */
import type { AdoptedEntity, AdoptedMember } from '../store/adopted.js';
import type { ClassDeclarations, KnownDeclaration } from './declarations.js';

/** `own`: what the class declares itself, which holds where both say something of one property. */
export function adoptedDeclarations(entity: AdoptedEntity, own: readonly ClassDeclarations[]): ClassDeclarations {
  const declared = new Set(own.flatMap((each) => each.members.map((member) => member.name)));
  return {
    models: [],
    members: entity.members.map((member) => declarationOf(member, 'Column')),
    indexes: entity.indexes.map((index) => ({ by: 'Index', ...index })),
    hooks: [...entity.hooks],
    annotations: [],
    mistakes: entity.problems.filter(({ property }) => property === undefined || !declared.has(property)),
  };
}

function declarationOf(member: AdoptedMember, by: string): KnownDeclaration {
  switch (member.kind) {
    case 'field': {
      const { kind, name, id, generated, special, ...options } = member;
      return {
        kind,
        name,
        by: special ?? by,
        role: 'property',
        options,
        ...(id === true ? { id: { generated: generated ?? false } } : {}),
        ...(id !== true && generated !== undefined ? { generated } : {}),
        ...(special === undefined ? {} : { special }),
      };
    }
    case 'embedded':
      return {
        kind: 'embedded',
        name: member.name,
        by,
        target: () => member.target,
        nullable: member.nullable,
        array: false,
        prefix: '',
        members: member.members.map((inner) => declarationOf(inner, by)),
      };
    case 'relation': {
      const { inverse, key, link, target, cascade, ...rest } = member;
      const mapped = member.relation === 'many-to-many' && inverse !== undefined;
      const selected = inverse === undefined || mapped ? undefined : inverse;
      return {
        ...rest,
        by,
        plain: true,
        index: false,
        target: () => target,
        cascade: cascade.length === 0 ? false : cascade,
        ...(selected === undefined
          ? {}
          : { inverse: (entity: never) => (entity as Record<string, unknown>)[selected] }),
        ...(mapped ? { mappedBy: inverse } : {}),
        ...(key === undefined ? {} : { key }),
        ...(link === undefined ? {} : { link }),
      };
    }
  }
}
