/**
 * The collections as the entities need them against those that are there. What is missing is made; what is there and not
 * declared (indexes, properties in a validator) is only reported, since another version of the application may need it.
 * A change's statements are commands of MongoDB as extended JSON, so that a person can run them by hand.
 */
import { type Access, type EntityModel, type SchemaChange, SchemaError, type SchemaStore } from '@storeweave/core';
import { BSON, type Db, type Document, MongoServerError } from 'mongodb';
import { type CollectionDesign, designOf, type IndexDesign } from './design.js';
import type { MongodbDomain } from './domain.js';
import { FENCE_INDEX } from './fence-form.js';
import { validatorChange } from './validator-change.js';

const NAMESPACE_EXISTS = 48;

export class MongodbSchema implements SchemaStore {
  constructor(
    private readonly domain: MongodbDomain,
    private readonly entities: () => readonly EntityModel[],
  ) {}

  plan(access: Access): Promise<SchemaChange[]> {
    // Outside of any transaction: MongoDB lists and changes collections in none.
    return this.domain.use({ ...access, transaction: undefined }, undefined, async ({ db }) => {
      const found = new Map((await db.listCollections().toArray()).map((each) => [each.name, each as Document]));
      const changes = this.entities().map((entity) => {
        const design = designOf(entity, this.domain.fenced.has(entity));
        return difference(design, found.get(design.name), db);
      });
      return (await Promise.all(changes)).flat();
    });
  }

  apply(changes: readonly SchemaChange[], access: Access): Promise<void> {
    return this.domain.use({ ...access, transaction: undefined }, undefined, async ({ db }) => {
      for (const statement of changes.flatMap(({ statements }) => statements)) await run(db, statement);
    });
  }
}

async function run(db: Db, statement: string): Promise<void> {
  const command = BSON.EJSON.parse(statement) as Document;
  try {
    await db.command(command);
  } catch (error) {
    // Another process was quicker; its validator may be that of another version.
    if (!(error instanceof MongoServerError) || error.code !== NAMESPACE_EXISTS) throw error;
    await db.command({ collMod: command.create, validator: command.validator });
  }
}

async function difference(design: CollectionDesign, found: Document | undefined, db: Db): Promise<SchemaChange[]> {
  const { name } = design;
  if (found === undefined) {
    const statements: Document[] = [{ create: name, validator: design.validator }];
    if (design.indexes.length > 0) statements.push({ createIndexes: name, indexes: design.indexes.map(indexSpec) });
    return [change(design, 'create', `create collection ${name}`, statements)];
  }
  if (found.type !== 'collection') {
    throw new SchemaError(
      `${design.entity} wants the collection "${name}", which is a ${String(found.type)} already. Give one of the two another name.`,
      { entity: design.entity },
    );
  }
  const changes: SchemaChange[] = [];
  const { wanted, undeclared } = validatorChange(design.validator, found.options?.validator as Document | undefined);
  if (wanted !== undefined) {
    // Documents that were valid before stay writable: `moderate` checks changes to valid documents only.
    const statement = { collMod: name, validator: wanted, validationLevel: 'moderate' };
    changes.push(change(design, 'alter', `change the validator of ${name}`, [statement]));
  }
  for (const property of undeclared) {
    changes.push(
      change(design, 'drift', `${name} has the property ${property}, which ${design.entity} does not declare`),
    );
  }
  return [...changes, ...(await indexChanges(design, db))];
}

async function indexChanges(design: CollectionDesign, db: Db): Promise<SchemaChange[]> {
  const { name } = design;
  const collection = db.collection(name);
  const found = (await collection.listIndexes().toArray()) as Document[];
  const changes: SchemaChange[] = [];
  // Another process may be one whose units of work span several stores.
  const kept = new Set<unknown>(['_id_', FENCE_INDEX.name]);
  for (const index of design.indexes) {
    const same = found.find((each) => isSame(index, each));
    if (same !== undefined) {
      kept.add(same.name);
      continue;
    }
    kept.add(index.name);
    const create = { createIndexes: name, indexes: [indexSpec(index)] };
    const rival = found.some((each) => each.name === index.name);
    const mayRefuse =
      index.options.unique === true && (await collection.findOne({}, { projection: { _id: 1 } })) !== null;
    const note = mayRefuse ? ' (documents exist and may hold a value twice)' : '';
    const what = `${index.options.unique === true ? 'unique index' : 'index'} ${index.name}`;
    changes.push(
      rival
        ? change(
            design,
            'alter',
            `rebuild ${what} of ${name}${note}`,
            [{ dropIndexes: name, index: index.name }, create],
            mayRefuse,
          )
        : change(design, 'alter', `add ${what} to ${name}${note}`, [create], mayRefuse),
    );
  }
  for (const each of found) {
    if (kept.has(each.name)) continue;
    changes.push(
      change(design, 'drift', `${name} has the index ${each.name}, which ${design.entity} does not declare`),
    );
  }
  return changes;
}

function indexSpec({ name, key, options }: IndexDesign): Document {
  return { name, key, ...options };
}

/** The same index, whatever it is called: MongoDB refuses a second one. */
function isSame({ key, options }: IndexDesign, found: Document): boolean {
  const text = BSON.EJSON.stringify;
  const keyOf = (each: Document) => (each.weights === undefined ? each.key : each.weights);
  const wantedKey = Object.values(key).includes('text')
    ? Object.fromEntries(Object.keys(key).map((path) => [path, 1]))
    : key;
  const isSameOption = (name: string) => text({ is: options[name] ?? false }) === text({ is: found[name] ?? false });
  return (
    text(wantedKey) === text(keyOf(found) as Document) &&
    ['unique', 'partialFilterExpression', 'expireAfterSeconds', 'sparse'].every(isSameOption)
  );
}

function change(
  design: CollectionDesign,
  kind: SchemaChange['kind'],
  summary: string,
  statements: readonly Document[] = [],
  destructive = false,
): SchemaChange {
  const texts = statements.map((statement) => BSON.EJSON.stringify(statement));
  return { entity: design.entity, kind, summary, statements: texts, destructive };
}
