/**
 * What the front ends write down and `compileDomain` reads: raw, unchecked, in the order of the source. Declarations
 * hang on the class's metadata object (`Symbol.metadata`), where standard decorators can reach them before the class
 * exists; legacy decorators and `defineEntity` put them in the same place. Nothing here throws: a mistake must be
 * reported with all others at `open()`, not as a stack trace out of a module that is being loaded.
 */
import type { ValueConverter } from '../model/codec.js';
import type { DataModel, EntityKind, LifecycleEvent, RelationKind } from '../model/entity-model.js';
import type { FieldRole, FieldType, TimePrecision } from '../model/field.js';
import type { AdoptedLink, AdoptedRelation } from '../store/adopted.js';

// Compilers write `Class[Symbol.metadata]` only if the symbol exists when the class is made; Node does not have it yet.
(Symbol as { metadata?: symbol }).metadata ??= Symbol.for('Symbol.metadata');
const METADATA: symbol = (Symbol as unknown as { metadata: symbol }).metadata;
const DECLARATIONS = Symbol.for('storeweave.declarations');

/** Reads a class when the model is compiled; before that it may not exist yet. */
export type Thunk = () => unknown;

/** `p => p.author`, as the user wrote it. */
export type Selector = (target: never) => unknown;

export interface FieldDeclaration {
  readonly kind: 'field';
  readonly name: string;
  readonly role: Exclude<FieldRole, 'reference'>;
  /** Name of the decorator, for messages. */
  readonly by: string;
  readonly options: FieldOptions;
  /** `auto`: what the type suggests. */
  readonly id?: { readonly generated: 'uuid' | 'sequence' | 'store' | false | 'auto' };
  /** Of a property that is no id. */
  readonly generated?: 'uuid' | 'sequence' | 'store';
  readonly special?: 'version' | 'createdAt' | 'updatedAt' | 'softDelete';
  /** `design:type` that the compiler emitted, where it did. */
  readonly designType?: unknown;
}

export interface FieldOptions {
  readonly type?: FieldType;
  readonly nullable?: boolean;
  readonly default?: unknown;
  readonly unique?: boolean;
  readonly index?: boolean;
  readonly array?: boolean;
  readonly length?: number;
  readonly precision?: number | TimePrecision;
  readonly scale?: number;
  readonly column?: string;
  readonly values?: readonly (string | number)[];
  readonly convert?: ValueConverter;
}

export interface EmbeddedDeclaration {
  readonly kind: 'embedded';
  readonly name: string;
  readonly by: string;
  readonly target: Thunk;
  readonly nullable: boolean;
  readonly array: boolean;
  readonly prefix?: string;
  /** Members, where the class does not declare them itself. */
  readonly members?: readonly KnownDeclaration[];
}

export interface RelationDeclaration {
  readonly kind: 'relation';
  readonly name: string;
  readonly by: string;
  readonly relation: RelationKind;
  readonly target: Thunk;
  readonly inverse?: Selector;
  readonly mappedBy?: Selector | string;
  /** Relationship type of a related relation. */
  readonly type?: string;
  readonly direction?: 'out' | 'in' | 'both';
  readonly endpoint?: 'from' | 'to';
  readonly nullable?: boolean;
  readonly cascade?: readonly ('persist' | 'remove')[] | false;
  readonly orphanRemoval?: boolean;
  readonly onDelete?: 'restrict' | 'cascade' | 'set null' | 'none';
  readonly column?: string;
  readonly index?: boolean;
  readonly table?: string;
  readonly store?: string;
  /** Adopted: the property holds the related entities themselves, and keys and links have names of their own. */
  readonly plain?: boolean;
  readonly key?: AdoptedRelation['key'];
  readonly link?: AdoptedLink;
}

/** A member whose declaration is only made when the model is compiled, because it names classes. */
export interface LazyDeclaration {
  readonly kind: 'lazy';
  readonly name: string;
  readonly by: string;
  readonly make: () => unknown;
}

/** What a member turns out to be. */
export type KnownDeclaration = FieldDeclaration | EmbeddedDeclaration | RelationDeclaration;

export type MemberDeclaration = KnownDeclaration | LazyDeclaration;

export interface HookDeclaration {
  readonly event: LifecycleEvent;
  readonly method: string;
}

export interface ModelDeclaration {
  readonly by: string;
  readonly model: DataModel;
  readonly kind: EntityKind;
  readonly store?: string;
  readonly source?: string;
  readonly namespace?: string;
  /** Name of the entity where the class's own is not it. */
  readonly name?: string;
  /** Classes that extend this one are this entity (`defineEntity`). */
  readonly inherited?: boolean;
  readonly options?: { readonly retention?: unknown };
}

export interface IndexDeclaration {
  readonly by: string;
  readonly properties: readonly string[];
  readonly unique: boolean;
  readonly where?: string;
  readonly name?: string;
  readonly type?: string;
}

/** An annotation of a later layer; `check` names properties that it must find. */
export interface AnnotationDeclaration {
  readonly key: string;
  readonly by: string;
  readonly value: unknown;
  readonly properties?: readonly string[];
  /** Property it stands on, for annotations of properties. */
  readonly property?: string;
}

/** All that one class declares itself, without its base classes. */
export interface ClassDeclarations {
  readonly models: ModelDeclaration[];
  readonly members: MemberDeclaration[];
  readonly indexes: IndexDeclaration[];
  readonly hooks: HookDeclaration[];
  readonly annotations: AnnotationDeclaration[];
  /** Mistakes that only the front end could see. */
  readonly mistakes: { readonly property?: string; readonly message: string }[];
}

/** Decorated members of classes whose compiler gave decorators no metadata object; reported at `open()`. */
export const orphans: string[] = [];

/** The declarations kept on a metadata object, made on first use. */
export function declarationsIn(metadata: object): ClassDeclarations {
  const holder = metadata as { [DECLARATIONS]?: ClassDeclarations };
  if (!Object.hasOwn(holder, DECLARATIONS)) {
    Object.defineProperty(holder, DECLARATIONS, {
      value: { models: [], members: [], indexes: [], hooks: [], annotations: [], mistakes: [] },
      enumerable: false,
    });
  }
  return holder[DECLARATIONS] as ClassDeclarations;
}

/** The declarations of a class itself, made on first use. For front ends that have the class in hand. */
export function declarationsOf(target: object): ClassDeclarations {
  if (!Object.hasOwn(target, METADATA)) {
    const base: unknown = Object.getPrototypeOf(target)?.[METADATA];
    const metadata: object = Object.create(typeof base === 'object' ? base : null) as object;
    Object.defineProperty(target, METADATA, { value: metadata, configurable: true, writable: true, enumerable: false });
  }
  return declarationsIn((target as Record<symbol, object>)[METADATA] as object);
}

/** The declarations of a class itself, if it has any. */
export function readDeclarations(target: object): ClassDeclarations | undefined {
  if (!Object.hasOwn(target, METADATA)) return undefined;
  const metadata: unknown = (target as Record<symbol, unknown>)[METADATA];
  if (typeof metadata !== 'object' || metadata === null || !Object.hasOwn(metadata, DECLARATIONS)) return undefined;
  return declarationsIn(metadata);
}
