import { type Collection, ConfigurationError, compileDomain, Id, Node, Related, Relational } from '@storeweave/core';
import { describe, expect, it } from 'vitest';
import { GraphNames, quote } from './names.js';

@Relational()
class Author {
  @Id() id!: string;
  @Related(() => Author, 'CITES') cites!: Collection<Author>;
}

@Node({ label: 'Author' })
class Writer {
  @Id() id!: string;
}

const graphEntities = (classes: Parameters<typeof compileDomain>[0]) =>
  compileDomain(classes).entities.filter((entity) => entity.store === 'graph');

describe('names', () => {
  it('quotes whatever could end the quotes', () => {
    expect(quote('a`b')).toBe('`a``b`');
    expect(quote('a\\u0060) RETURN 1 //')).toBe('`a\\u005Cu0060) RETURN 1 //`');
    expect(() => quote('')).toThrow(ConfigurationError);
  });

  it('puts the prefix before labels, types and references', () => {
    const names = new GraphNames('app_');
    const entities = graphEntities([Author]);
    names.add(entities);
    expect(entities.map((entity) => names.shape(entity).source)).toEqual(['app_CITES']);
    expect(names.references.map((entity) => names.label(entity))).toEqual(['app_Author']);
  });

  it('refuses a reference with the label of a node', () => {
    const names = new GraphNames('');
    expect(() => names.add(graphEntities([Author, Writer]))).toThrow(/Author and Writer|Writer and Author/);
  });
});
