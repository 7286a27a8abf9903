/**
 * The models while they are being built: the same objects that `open()` hands out later, still open to writing, because
 * entities and relations refer to one another in circles.
 */
import type { EmbeddedModel, EntityClass, EntityModel, IndexModel, RelationModel } from '../model/entity-model.js';
import type { Field } from '../model/field.js';
import type {
  AnnotationDeclaration,
  IndexDeclaration,
  KnownDeclaration,
  ModelDeclaration,
  RelationDeclaration,
} from './declarations.js';

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export type FieldDraft = Mutable<Field>;

export type RelationDraft = Mutable<RelationModel>;

/** An entity model under construction. */
export type EntityModelDraft = Mutable<Omit<EntityModel, 'fields' | 'ids' | 'embeddeds' | 'relations' | 'indexes'>> & {
  fields: FieldDraft[];
  ids: FieldDraft[];
  embeddeds: EmbeddedModel[];
  relations: RelationDraft[];
  indexes: IndexModel[];
};

/** One entity on its way from declarations to model. */
export interface EntityDraft {
  readonly name: string;
  readonly target: EntityClass;
  readonly declaration: ModelDeclaration;
  /** By name; base classes first, a subclass replaces what it declares again. */
  readonly members: ReadonlyMap<string, KnownDeclaration>;
  readonly indexes: readonly IndexDeclaration[];
  readonly annotations: readonly AnnotationDeclaration[];
  readonly model: EntityModelDraft;
  /** Shares its table, and the names in it, with others. */
  readonly part?: boolean;
  /** Keys of owner-side relations: `todo` until made, `doing` while their targets' ids are being found out. */
  references: 'todo' | 'doing' | 'done';
  /** Names of properties that failed; what refers to them stays silent instead of reporting the same mistake again. */
  readonly broken: Set<string>;
}

/** A relation and what it was declared as. */
export interface PendingRelation {
  readonly owner: EntityDraft;
  readonly declaration: RelationDeclaration;
  readonly target: EntityDraft;
}

/** The target of a relation, as declared and as found. */
export type FindTarget = (owner: EntityDraft, declaration: RelationDeclaration) => EntityDraft | undefined;
