/** The constraints and indexes that the entities need, and how each is said in Cypher. */
import { ConfigurationError, type EntityModel, type Field, type IndexModel } from '@storeweave/core';
import { UNIT } from '../fences/marks.js';
import { type GraphNames, quote } from '../names.js';
import { SEQUENCE_NAME } from '../write/sequences.js';

export type RuleKind = 'unique' | 'range' | 'text' | 'fulltext' | 'vector' | 'point';

export interface Rule {
  readonly name: string;
  readonly kind: RuleKind;
  readonly on: 'NODE' | 'RELATIONSHIP';
  /** Label or type. */
  readonly source: string;
  readonly properties: readonly string[];
  /** Of a vector index. */
  readonly vector?: { readonly dimensions: number; readonly similarity: string };
  /** Entity that needs it; absent for what the store needs itself. */
  readonly entity?: string;
}

const VECTOR = /^vector\(\s*(\d{1,5})\s*(?:,\s*(cosine|euclidean)\s*)?\)$/i;

/** Everything that the entities of a store need. Throws `ConfigurationError` for an index that Neo4j cannot have. */
export function rulesFor(names: GraphNames): Rule[] {
  const rules: Rule[] = [];
  for (const entity of names.all) {
    const shape = names.shape(entity);
    const place = { on: shape.ends === undefined ? 'NODE' : 'RELATIONSHIP', source: shape.source } as const;
    const isOwn = (field: Field) => shape.places.get(field)?.on === 'self';
    if (!shape.isPair) {
      if (!entity.ids.every(isOwn)) throw refusal(entity, `its identity (${list(entity.ids)})`);
      const name = `${names.label(entity)}_pkey`;
      rules.push({ ...place, name, kind: 'unique', properties: columns(entity.ids), entity: entity.name });
    }
    for (const index of entity.indexes) {
      if (index.fields.every(isOwn)) rules.push(indexRule(entity, index, place, names));
      // Ends of a relationship are found by following it, which needs no index.
      else if (index.unique) throw refusal(entity, `the unique index ${index.name} (${list(index.fields)})`);
    }
    // Fences are found by their unit of work.
    if (names.isFenced) {
      rules.push({
        ...place,
        name: `${names.label(entity)}_fence`,
        kind: 'range',
        properties: [UNIT],
        entity: entity.name,
      });
    }
    if (entity.fields.some((field) => field.generated === 'sequence')) {
      rules.push(single(`${names.prefix}storeweave_sequence_key`, names.sequenceLabel, [SEQUENCE_NAME]));
    }
  }
  for (const entity of names.references) {
    const label = names.label(entity);
    rules.push(single(`${label}_reference_key`, label, columns(entity.ids)));
  }
  return [...new Map(rules.map((rule) => [definition(rule), rule])).values()];
}

/** The same for rules that do the same, whatever their names. */
export function definition(rule: Pick<Rule, 'kind' | 'on' | 'source' | 'properties'>): string {
  // In a full-text index the order of properties has no meaning.
  const properties = rule.kind === 'fulltext' ? [...rule.properties].sort() : rule.properties;
  return JSON.stringify([rule.kind, rule.on, rule.source, properties]);
}

/** True for the index on fences, which stays where this application has none of them at present. */
export function isForFences({ kind, properties }: Pick<Rule, 'kind' | 'properties'>): boolean {
  return kind === 'range' && properties.length === 1 && properties[0] === UNIT;
}

export function createStatement(rule: Rule): string {
  const on = rule.on === 'NODE' ? `(n:${quote(rule.source)})` : `()-[n:${quote(rule.source)}]-()`;
  const properties = rule.properties.map((property) => `n.${quote(property)}`).join(', ');
  const name = `${quote(rule.name)} IF NOT EXISTS FOR ${on}`;
  switch (rule.kind) {
    case 'unique':
      return `CREATE CONSTRAINT ${name} REQUIRE (${properties}) IS UNIQUE`;
    case 'fulltext':
      return `CREATE FULLTEXT INDEX ${name} ON EACH [${properties}]`;
    case 'vector':
      return `CREATE VECTOR INDEX ${name} ON (${properties}) OPTIONS { indexConfig: { \`vector.dimensions\`: ${rule.vector?.dimensions ?? 0}, \`vector.similarity_function\`: '${rule.vector?.similarity ?? 'cosine'}' } }`;
    default:
      return `CREATE ${rule.kind.toUpperCase()} INDEX ${name} ON (${properties})`;
  }
}

export function dropStatement(rule: Pick<Rule, 'kind' | 'name'>): string {
  return `DROP ${rule.kind === 'unique' ? 'CONSTRAINT' : 'INDEX'} ${quote(rule.name)} IF EXISTS`;
}

export function summary({ kind, source, properties }: Pick<Rule, 'kind' | 'source' | 'properties'>): string {
  const what = kind === 'unique' ? 'unique constraint' : `${kind} index`;
  return `${what} on ${source} (${properties.join(', ')})`;
}

function indexRule(
  entity: EntityModel,
  index: IndexModel,
  place: Pick<Rule, 'on' | 'source'>,
  names: GraphNames,
): Rule {
  const rule = { ...place, name: names.prefix + index.name, properties: columns(index.fields), entity: entity.name };
  if (index.unique) return { ...rule, kind: 'unique' };
  const type = index.type ?? 'range';
  const vector = VECTOR.exec(type);
  if (vector !== null) {
    const [, dimensions, similarity = 'cosine'] = vector;
    return {
      ...rule,
      kind: 'vector',
      vector: { dimensions: Number(dimensions), similarity: similarity.toLowerCase() },
    };
  }
  if (type === 'range' || type === 'text' || type === 'fulltext' || type === 'point') return { ...rule, kind: type };
  throw new ConfigurationError(
    `${entity.name}: the index ${index.name} asks for the type '${type}', and Neo4j has 'range' (default), 'text', 'fulltext', 'point' and 'vector(dimensions, cosine)'.`,
    { entity: entity.name, store: entity.store },
  );
}

function single(name: string, source: string, properties: readonly string[]): Rule {
  return { name, kind: 'unique', on: 'NODE', source, properties };
}

function columns(fields: readonly Field[]): string[] {
  return fields.map((field) => field.column);
}

function list(fields: readonly Field[]): string {
  return fields.map((field) => field.name).join(', ');
}

function refusal(entity: EntityModel, what: string): ConfigurationError {
  return new ConfigurationError(
    `${entity.name}: ${what} names an end of the relationship beside properties of its own, which no constraint of Neo4j can hold unique. A relationship without @Id is known by its two ends, with at most one between them; else leave the end out of it.`,
    { entity: entity.name, store: entity.store },
  );
}
