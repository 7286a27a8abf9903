/**
 * Raw SQL that cannot be injected into: the text is what stands in the program, every value is bound, and the names of
 * tables and columns come from the model. There is deliberately no way to put a string into the text.
 */
import { InvalidQueryError } from '../errors/errors.js';
import type { DomainModel } from '../model/domain-model.js';
import type { EntityClass, EntityModel } from '../model/entity-model.js';
import type { RelationalStore } from '../store/relational.js';
import type { PropertyPath, RelationName } from '../types/properties.js';
import { namedFields } from './changes.js';

/** A piece of a statement that is not a value. Made by the helpers of this file. */
export abstract class SqlPart {
  /** Writes itself into a statement. */
  abstract write(statement: SqlStatement): void;
}

/** A statement that is being put together. */
export class SqlStatement {
  text = '';
  readonly values: unknown[] = [];

  constructor(
    /** Whose store runs it. */
    readonly entity: EntityModel,
    readonly domain: DomainModel,
    readonly dialect: RelationalStore,
    /** Whether an entity is in that store, too. */
    private readonly isHere: (model: EntityModel) => boolean,
  ) {}

  append(strings: readonly string[], values: readonly unknown[]): this {
    strings.forEach((text, at) => {
      this.text += text;
      if (at < values.length) this.value(values[at]);
    });
    return this;
  }

  value(value: unknown): void {
    if (value instanceof SqlPart) {
      value.write(this);
      return;
    }
    if (value === undefined) {
      throw new InvalidQueryError(
        `${this.entity.name}: value ${this.values.length + 1} of the statement is undefined. Bind null for no value.`,
        { entity: this.entity.name, store: this.entity.store },
      );
    }
    this.values.push(value);
    this.text += this.dialect.placeholder(this.values.length);
  }

  /** The model of a class, which must live where the statement runs. */
  model(target: EntityClass): EntityModel {
    const model = this.domain.of(target);
    const isDeclaredHere = model.store === this.entity.store;
    if (isDeclaredHere && this.isHere(model)) return model;
    throw new InvalidQueryError(
      `${model.name} ${isDeclaredHere ? 'is still on its way to' : 'lives in'} store "${model.store}", and the statement runs in "${this.entity.store}".`,
      { entity: model.name, store: model.store },
    );
  }
}

class Written extends SqlPart {
  constructor(readonly write: (statement: SqlStatement) => void) {
    super();
  }
}

/** The table of an entity, quoted, with its schema. */
export function table(target: EntityClass): SqlPart {
  return new Written((statement) => {
    const { namespace, source } = statement.model(target);
    const quote = (name: string) => statement.dialect.quote(name);
    statement.text += namespace === undefined ? quote(source) : `${quote(namespace)}.${quote(source)}`;
  });
}

/** The column of a property, quoted: `column(User, 'email')`. Several columns of a composite key are joined by commas. */
export function column<T extends object>(target: EntityClass<T>, path: PropertyPath<T> | RelationName<T>): SqlPart {
  return new Written((statement) => {
    const fields = namedFields(statement.model(target), [path], 'column');
    statement.text += fields.map((field) => statement.dialect.quote(field.column)).join(', ');
  });
}

/** Any other name, quoted: an alias, a function of yours. */
export function identifier(name: string): SqlPart {
  return new Written((statement) => {
    if (name === '' || name.includes('\0')) {
      throw new InvalidQueryError(`${statement.entity.name}: ${JSON.stringify(name)} is no name in SQL.`, {
        entity: statement.entity.name,
      });
    }
    statement.text += statement.dialect.quote(name);
  });
}

/** Bound values between commas, for `in (${list(ids)})`. Throws for an empty list, which SQL has no word for. */
export function list(values: readonly unknown[]): SqlPart {
  return new Written((statement) => {
    if (values.length === 0) {
      throw new InvalidQueryError(
        `${statement.entity.name}: list([]) is empty, and SQL has no empty list. Leave the condition out.`,
        {
          entity: statement.entity.name,
        },
      );
    }
    values.forEach((value, at) => {
      if (at > 0) statement.text += ', ';
      statement.value(value);
    });
  });
}

/** A piece of a statement to use in another, with its own bound values. */
export function fragment(strings: TemplateStringsArray, ...values: readonly unknown[]): SqlPart {
  return new Written((statement) => {
    statement.append(strings, values);
  });
}
