/**
 * What a model asks of its store against what the store declares, once, at `open()`. Everything that is missing is
 * reported together, so that no difference between stores shows up later as a surprise at run time.
 */
import { CapabilityError, ConfigurationError } from '../errors/errors.js';
import type { DomainModel } from '../model/domain-model.js';
import type { EntityModel } from '../model/entity-model.js';
import type { TimePrecision } from '../model/field.js';
import type { Store } from '../store/store.js';

const finer: readonly TimePrecision[] = ['ms', 'us', 'ns'];

/** Throws `ConfigurationError` for entities whose logical store is not bound, naming all of them. */
export function checkBindings(domain: DomainModel, stores: Readonly<Record<string, Store>>): void {
  const missing = new Map<string, string[]>();
  for (const entity of domain.entities) {
    if (Object.hasOwn(stores, entity.store)) continue;
    missing.set(entity.store, [...(missing.get(entity.store) ?? []), entity.name]);
  }
  if (missing.size === 0) return;
  const bound = Object.keys(stores).join(', ') || 'none';
  throw new ConfigurationError(
    [...missing]
      .map(
        ([store, entities]) =>
          `No store is bound to the name "${store}", where ${entities.join(', ')} ${entities.length === 1 ? 'lives' : 'live'}. ` +
          `Bound are: ${bound}. Add it to the stores given to open(), or name another store in the class's decorator.`,
      )
      .join('\n'),
  );
}

/** Throws one `CapabilityError` that lists everything the entities need and their stores do not declare. */
export function checkCapabilities(domain: DomainModel, stores: Readonly<Record<string, Store>>): void {
  const problems = domain.entities.flatMap((entity) => {
    const store = stores[entity.store];
    return store === undefined ? [] : missingFor(entity, store);
  });
  if (problems.length === 0) return;
  throw new CapabilityError(
    `The stores cannot keep the entities as declared:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
  );
}

/**
 * Throws `ConfigurationError` where entities live in several databases and none of their stores can coordinate a commit
 * over all of them: such a unit of work could not keep its promise.
 */
export function checkDomains(domain: DomainModel, stores: Readonly<Record<string, Store>>): void {
  const used = [...new Set(domain.entities.map((entity) => entity.store))];
  const names = new Map<object, string[]>();
  for (const name of used) {
    const key = stores[name]?.domain;
    if (key !== undefined) names.set(key, [...(names.get(key) ?? []), name]);
  }
  const coordinated = used.some((name) => stores[name]?.capabilities.commit?.coordinates === true);
  if (names.size < 2 || coordinated) return;
  const groups = [...names.values()].map((group) => group.join(', ')).join(' | ');
  throw new ConfigurationError(
    `The stores are in ${names.size} transaction domains (${groups}), and none of them can coordinate a commit over all. ` +
      "Bind them to one database, or open with atomicity: 'best-effort', where domains commit one after the other.",
  );
}

function missingFor(entity: EntityModel, store: Store): string[] {
  const { capabilities } = store;
  const problems: string[] = [];
  const say = (property: string | undefined, message: string): void => {
    problems.push(
      `${entity.name}${property === undefined ? '' : `.${property}`} in store "${entity.store}": ${message}`,
    );
  };

  if (!capabilities.models.includes(entity.model)) {
    say(undefined, `the store keeps ${capabilities.models.join(', ')} entities, and this one is ${entity.model}.`);
    return problems;
  }
  for (const field of entity.fields) {
    if (!capabilities.types.includes(field.type)) {
      say(field.name, `the store does not keep the type ${field.type} without loss; choose another type or store.`);
    }
    if (field.array && !capabilities.arrays) say(field.name, 'the store keeps no arrays; use json or another store.');
    if (field.type === 'timestamp' && finer.indexOf(field.timePrecision) > finer.indexOf(capabilities.timePrecision)) {
      say(field.name, `precision '${field.timePrecision}' is finer than the store's '${capabilities.timePrecision}'.`);
    }
    if (field.generated === 'sequence' && !capabilities.sequences) {
      say(field.name, 'the store makes no sequences; use a UUIDv7 id, @Id().');
    }
  }
  for (const index of entity.indexes) {
    if (index.unique && !capabilities.uniqueIndexes) {
      say(undefined, `the store cannot guarantee that ${names(index.fields)} is unique.`);
    }
    if (index.where !== undefined && !capabilities.partialIndexes) {
      say(undefined, `the store has no partial indexes, as ${index.name} asks for.`);
    }
  }
  if (entity.version !== undefined && !capabilities.versionChecks) {
    say(entity.version.name, 'the store cannot check versions in the same step as the write.');
  }
  return problems;
}

function names(fields: readonly { readonly name: string }[]): string {
  return fields.map((field) => field.name).join(', ');
}
