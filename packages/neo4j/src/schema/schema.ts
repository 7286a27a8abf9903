/**
 * Constraints and indexes from the metadata. Labels and properties need no making in a graph, so the difference is one
 * of rules; those are compared by what they do and not by their names. What has our labels and is no longer needed is
 * only dropped when told to, and what has other labels is nobody's business here.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Access, type SchemaChange, SchemaError, type SchemaStore, StoreweaveError } from '@storeweave/core';
import type { Neo4jDomain } from '../domain.js';
import { type GraphNames, quote } from '../names.js';
import type { Cypher } from '../scope.js';
import {
  createStatement,
  definition,
  dropStatement,
  isForFences,
  type Rule,
  type RuleKind,
  rulesFor,
  summary,
} from './rules.js';

interface Found extends Pick<Rule, 'name' | 'kind' | 'on' | 'source' | 'properties'> {
  readonly isFailed: boolean;
  /** Not filled yet. */
  readonly isOpen: boolean;
  readonly options: string;
}

/** How long indexes may take to be filled before `apply` returns. */
const POPULATION_LIMIT_MS = 600_000;
const POLL_MS = 100;
/** How often what another process is making is looked at, before it is taken for left behind. */
const TURNS = 50;

export class Neo4jSchema implements SchemaStore {
  constructor(
    private readonly names: GraphNames,
    private readonly domain: Neo4jDomain,
  ) {}

  async plan(access: Access): Promise<SchemaChange[]> {
    const wanted = rulesFor(this.names);
    const found = await this.#settled(wanted, access);
    const inUse = await this.#inUse(wanted, found, access);
    const labels = new Map(wanted.map((rule) => [rule.source, rule.entity]));
    for (const entity of this.names.all) labels.set(this.names.shape(entity).source, entity.name);
    const creations = wanted.flatMap((rule) => creation(rule, found, inUse, labels));
    const needed = new Set(wanted.map(definition));
    const replaced = new Set(creations.flatMap(({ replaces }) => replaces));
    const rest = found.filter(
      (rule) => !needed.has(definition(rule)) && !replaced.has(rule.name) && !isForFences(rule),
    );
    return [
      ...creations.map(({ change }) => change),
      ...rest.flatMap((rule) => this.#surplus(rule, labels.has(rule.source), labels.get(rule.source))),
    ];
  }

  /** A rule that nothing asks for. */
  #surplus(rule: Found, isOurs: boolean, entity: string | undefined): SchemaChange[] {
    if (isOurs) {
      return [
        {
          ...(entity === undefined ? {} : { entity }),
          kind: 'drop',
          summary: `drop ${summary(rule)} (${rule.name}), which ${entity ?? 'the store'} does not declare`,
          statements: [dropStatement(rule)],
          ...(rule.kind === 'vector' ? {} : { undo: [createStatement(rule)] }),
          destructive: true,
        },
      ];
    }
    if (this.names.prefix === '' || !rule.source.startsWith(this.names.prefix)) return [];
    const drift = `${summary(rule)} (${rule.name}) has the prefix of this application, and no entity that needs it`;
    return [{ kind: 'drift', summary: drift, statements: [], destructive: false }];
  }

  async apply(changes: readonly SchemaChange[], access: Access): Promise<void> {
    const statements = changes.flatMap((change) => change.statements);
    if (statements.length === 0) return;
    for (const text of statements) await this.#change(text, access);
    await this.#populated(access);
  }

  /** Labels and types of missing constraints that nodes or relationships have, which may refuse them. */
  async #inUse(wanted: readonly Rule[], found: readonly Found[], access: Access): Promise<Set<string>> {
    const there = new Set(found.map(definition));
    const missing = wanted.filter((rule) => rule.kind === 'unique' && !there.has(definition(rule)));
    if (missing.length === 0) return new Set();
    const known = new Set([
      ...(await this.#ask('CALL db.labels() YIELD label RETURN label', access)),
      ...(await this.#ask('CALL db.relationshipTypes() YIELD relationshipType RETURN relationshipType', access)),
    ]);
    const inUse = new Set<string>();
    for (const { on, source } of missing) {
      if (!known.has(source) || inUse.has(source)) continue;
      const pattern = on === 'NODE' ? `(n:${quote(source)})` : `()-[n:${quote(source)}]->()`;
      // A label is known for as long as anything was ever called so; the server has the count at hand.
      const [count] = await this.#ask(`MATCH ${pattern} RETURN count(n)`, access);
      if (Number(count) > 0) inUse.add(source);
    }
    return inUse;
  }

  /**
   * Waits for our own indexes, by looking: `db.awaitIndexes` waits for those of everybody, and holds locks on their
   * labels meanwhile that others may need to finish them.
   */
  async #populated(access: Access): Promise<void> {
    const names = new Set(rulesFor(this.names).flatMap(({ name, kind }) => (kind === 'unique' ? [] : [name])));
    const deadline = Date.now() + POPULATION_LIMIT_MS;
    const text = "SHOW INDEXES YIELD name, state WHERE state = 'POPULATING' RETURN name";
    for (;;) {
      const open = (await this.#ask(text, access)).filter((name) => names.has(String(name)));
      if (open.length === 0) return;
      if (Date.now() > deadline)
        throw new SchemaError(`The indexes ${open.join(', ')} were not filled within ${POPULATION_LIMIT_MS} ms.`);
      await sleep(POLL_MS);
    }
  }

  /** Where another process makes the same rule at the same time, it is waited for; then there is nothing left to do. */
  async #change(text: string, access: Access): Promise<void> {
    for (let turn = 0; ; turn++) {
      try {
        await this.domain.run(plain(text), access, 'WRITE');
        return;
      } catch (error) {
        if (isThereAlready(error)) return;
        if (isBeingMade(error) && turn < TURNS) {
          await sleep(POLL_MS);
          continue;
        }
        throw error instanceof StoreweaveError && error.code !== 'STORE_FAILED' && error.code !== 'UNIQUE_VIOLATION'
          ? error
          : new SchemaError(`Neo4j refused "${text}": ${(error as Error).message}`, { cause: (error as Error).cause });
      }
    }
  }

  /** What is there, without what another process is making at this moment. */
  async #settled(wanted: readonly Rule[], access: Access): Promise<Found[]> {
    const constraints = new Set(wanted.flatMap(({ name, kind }) => (kind === 'unique' ? [name] : [])));
    for (let turn = 0; ; turn++) {
      const found = await this.#found(access);
      // The index of a constraint that is being made; where it stays, its maker has died, and it is to be replaced.
      const isMoving = found.some(({ name, kind, isOpen }) => isOpen && kind === 'range' && constraints.has(name));
      if (!isMoving || turn >= TURNS) return found;
      await sleep(POLL_MS);
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
          ? [{ name, kind: 'unique', on, source, properties, isFailed: false, isOpen: false, options: '' }]
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
                isOpen: state === 'POPULATING',
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

/** What makes a rule that is not there, or not as it should be. */
function creation(
  rule: Rule,
  found: readonly Found[],
  inUse: ReadonlySet<string>,
  labels: ReadonlyMap<string, unknown>,
): { readonly change: SchemaChange; readonly replaces: readonly string[] }[] {
  const same = found.find((each) => definition(each) === definition(rule));
  if (same !== undefined && !same.isFailed && !differs(rule, same)) return [];
  // Nodes that are there may refuse a new constraint.
  const isRefusable = rule.kind === 'unique' && inUse.has(rule.source);
  const entity = rule.entity === undefined ? {} : { entity: rule.entity };
  const inTheWay = [
    same,
    found.find((each) => each.name === rule.name),
    found.find((each) => excludes(rule, each)),
  ].filter((each, i, all): each is Found => each !== undefined && all.indexOf(each) === i);
  const foreign = inTheWay.find((each) => !labels.has(each.source));
  if (foreign !== undefined) {
    throw new SchemaError(
      `The ${summary(rule)} would be called "${rule.name}", and so is the ${summary(foreign)}, which is not of this application. Give the index a name of its own, or set labelPrefix.`,
      { ...entity, constraint: rule.name },
    );
  }
  const change: SchemaChange = {
    ...entity,
    kind: inTheWay.length === 0 ? 'create' : 'alter',
    summary: `${inTheWay.length === 0 ? 'create' : 'make'} ${summary(rule)}${inTheWay.map((each) => ` in place of ${summary(each)}`).join('')}`,
    statements: [...inTheWay.map(dropStatement), createStatement(rule)],
    ...(inTheWay.length === 0 ? { undo: [dropStatement(rule)] } : {}),
    destructive: isRefusable || inTheWay.some((each) => each.kind === 'unique'),
  };
  return [{ change, replaces: inTheWay.map((each) => each.name) }];
}

/** Neo4j keeps a unique constraint by a range index of its own, and has no two on the same properties. */
function excludes(rule: Rule, found: Found): boolean {
  const kinds: readonly RuleKind[] = ['unique', 'range'];
  const other = { ...found, kind: rule.kind };
  return kinds.includes(rule.kind) && kinds.includes(found.kind) && definition(other) === definition(rule);
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

/** The index of a constraint has the constraint's name, and is there before it. */
function isBeingMade(error: unknown): boolean {
  return /\.(Index|Constraint)(WithName)?AlreadyExists$/.test(codeOf(error));
}

function isThereAlready(error: unknown): boolean {
  return codeOf(error).endsWith('.EquivalentSchemaRuleAlreadyExists');
}

function codeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined;
  return String(cause?.code);
}
