/**
 * Constraints and indexes from the metadata. Labels and properties need no making in a graph, so the difference is one
 * of rules; those are compared by what they do and not by their names. What has our labels and is no longer needed is
 * only dropped when told to, and what has other labels is nobody's business here.
 */
import { type Access, type SchemaChange, SchemaError, type SchemaStore, StoreweaveError } from '@storeweave/core';
import type { Neo4jDomain } from '../domain.js';
import type { GraphNames } from '../names.js';
import type { Cypher } from '../scope.js';
import { createStatement, definition, dropStatement, type Rule, type RuleKind, rulesFor, summary } from './rules.js';

interface Found extends Pick<Rule, 'name' | 'kind' | 'on' | 'source' | 'properties'> {
  readonly isFailed: boolean;
  readonly options: string;
}

/** How long indexes may take to be filled before `apply` returns, in seconds. */
const POPULATION_LIMIT_S = 600;

export class Neo4jSchema implements SchemaStore {
  constructor(
    private readonly names: GraphNames,
    private readonly domain: Neo4jDomain,
  ) {}

  async plan(access: Access): Promise<SchemaChange[]> {
    const wanted = rulesFor(this.names);
    const found = await this.#found(access);
    const inUse = new Set(await this.#ask('CALL db.labels() YIELD label RETURN label', access));
    for (const type of await this.#ask(
      'CALL db.relationshipTypes() YIELD relationshipType RETURN relationshipType',
      access,
    ))
      inUse.add(type);
    const byDefinition = new Map(found.map((rule) => [definition(rule), rule]));
    const byName = new Map(found.map((rule) => [rule.name, rule]));
    const needed = new Set(wanted.map(definition));
    const drops: SchemaChange[] = [];
    const creations: SchemaChange[] = [];
    for (const rule of wanted) {
      const there = byDefinition.get(definition(rule));
      if (there !== undefined && !there.isFailed && !differs(rule, there)) continue;
      // Nodes that are there may refuse a new constraint.
      const destructive = rule.kind === 'unique' && inUse.has(rule.source);
      const entity = rule.entity === undefined ? {} : { entity: rule.entity };
      const inTheWay = there ?? byName.get(rule.name);
      if (inTheWay === undefined) {
        const statements = [createStatement(rule)];
        creations.push({ ...entity, kind: 'create', summary: `create ${summary(rule)}`, statements, destructive });
      } else {
        creations.push({
          ...entity,
          kind: 'alter',
          summary: `make ${summary(rule)} anew in place of ${summary(inTheWay)}`,
          statements: [dropStatement(inTheWay), createStatement(rule)],
          destructive: destructive || inTheWay.kind === 'unique',
        });
      }
    }
    const replaced = new Set(wanted.map((rule) => rule.name));
    const labels = new Map(wanted.map((rule) => [rule.source, rule.entity]));
    for (const entity of this.names.all) labels.set(this.names.shape(entity).source, entity.name);
    for (const rule of found) {
      if (needed.has(definition(rule)) || replaced.has(rule.name)) continue;
      if (labels.has(rule.source)) {
        const entity = labels.get(rule.source);
        drops.push({
          ...(entity === undefined ? {} : { entity }),
          kind: 'drop',
          summary: `drop ${summary(rule)} (${rule.name}), which ${entity ?? 'the store'} does not declare`,
          statements: [dropStatement(rule)],
          destructive: true,
        });
      } else if (this.names.prefix !== '' && rule.source.startsWith(this.names.prefix)) {
        const drift = `${summary(rule)} (${rule.name}) has the prefix of this application, and no entity that needs it`;
        drops.push({ kind: 'drift', summary: drift, statements: [], destructive: false });
      }
    }
    return [...creations, ...drops];
  }

  async apply(changes: readonly SchemaChange[], access: Access): Promise<void> {
    const statements = changes.flatMap((change) => change.statements);
    if (statements.length === 0) return;
    for (const text of statements) await this.#change(text, access);
    await this.#ask(`CALL db.awaitIndexes(${POPULATION_LIMIT_S})`, access);
  }

  /** Another process that makes the same rule at the same time is as good as we are. */
  async #change(text: string, access: Access): Promise<void> {
    try {
      await this.domain.run(plain(text), access, 'WRITE');
    } catch (error) {
      if (isThereAlready(error)) return;
      throw error instanceof StoreweaveError && error.code !== 'STORE_FAILED' && error.code !== 'UNIQUE_VIOLATION'
        ? error
        : new SchemaError(`Neo4j refused "${text}": ${(error as Error).message}`, { cause: (error as Error).cause });
    }
  }

  async #found(access: Access): Promise<Found[]> {
    const constraints = (await this.#ask(
      'SHOW CONSTRAINTS YIELD name, type, entityType, labelsOrTypes, properties RETURN [name, type, entityType, labelsOrTypes, properties]',
      access,
    )) as [string, string, 'NODE' | 'RELATIONSHIP', string[], string[]][];
    const indexes = (await this.#ask(
      "SHOW INDEXES YIELD name, type, entityType, labelsOrTypes, properties, owningConstraint, state, options WHERE owningConstraint IS NULL AND type <> 'LOOKUP' RETURN [name, type, entityType, labelsOrTypes, properties, state, options]",
      access,
    )) as [string, string, 'NODE' | 'RELATIONSHIP', string[], string[], string, unknown][];
    return [
      ...constraints.flatMap(([name, type, on, [source], properties]): Found[] =>
        source !== undefined && /UNIQUENESS|_KEY$/.test(type)
          ? [{ name, kind: 'unique', on, source, properties, isFailed: false, options: '' }]
          : [],
      ),
      ...indexes.flatMap(([name, type, on, [source], properties, state, options]): Found[] =>
        source === undefined
          ? []
          : [
              {
                name,
                kind: type.toLowerCase() as RuleKind,
                on,
                source,
                properties,
                isFailed: state === 'FAILED',
                options: JSON.stringify(options, (_, value: unknown) =>
                  typeof value === 'bigint' ? Number(value) : value,
                ).toLowerCase(),
              },
            ],
      ),
    ];
  }

  #ask(text: string, access: Access) {
    return this.domain.run(plain(text), access, 'READ');
  }
}

function differs(rule: Rule, found: Found): boolean {
  const { vector } = rule;
  if (vector === undefined) return false;
  const says = (word: string) => found.options.includes(word);
  return (
    !says(`"vector.dimensions":${vector.dimensions}`) || !says(`"vector.similarity_function":"${vector.similarity}"`)
  );
}

function plain(text: string): Cypher {
  return { text, values: {} };
}

function isThereAlready(error: unknown): boolean {
  const cause = error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined;
  return /\.(EquivalentSchemaRuleAlreadyExists|IndexAlreadyExists|ConstraintAlreadyExists)$/.test(String(cause?.code));
}
