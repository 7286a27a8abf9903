/**
 * Where a decorator stands: the declarations to write to, and the name of the member. The only place that knows the
 * difference between a legacy call `(prototype, name)` and a standard one `(undefined, context)`. It never throws.
 */
import { type ClassDeclarations, declarationsIn, declarationsOf, orphans } from '../metadata/declarations.js';

export interface Place {
  readonly declarations: ClassDeclarations;
  readonly name: string;
  /** `design:type` of the member, where the compiler emitted it. */
  readonly designType?: unknown;
}

interface StandardContext {
  readonly kind: string;
  readonly name: PropertyKey;
  readonly static?: boolean;
  readonly private?: boolean;
  readonly metadata?: object;
}

/** Place of a property or method decorator; undefined where it cannot stand, which is noted for `open()`. */
export function memberPlace(by: string, target: unknown, at: unknown): Place | undefined {
  return isContext(at) ? standardPlace(by, at) : legacyPlace(by, target, at as PropertyKey);
}

/** Declarations of the class that a class decorator stands on. */
export function classPlace(by: string, target: unknown, at: unknown): ClassDeclarations | undefined {
  if (isContext(at)) {
    if (at.metadata !== undefined) return declarationsIn(at.metadata);
    orphans.push(`@${by} of ${String(at.name)}`);
    return undefined;
  }
  return typeof target === 'function' ? declarationsOf(target) : undefined;
}

function isContext(at: unknown): at is StandardContext {
  return typeof at === 'object' && at !== null && 'kind' in at;
}

function standardPlace(by: string, context: StandardContext): Place | undefined {
  if (context.metadata === undefined) {
    orphans.push(`@${by} ${String(context.name)}`);
    return undefined;
  }
  const declarations = declarationsIn(context.metadata);
  return usable(by, declarations, context.name, context.static === true, context.private === true)
    ? { declarations, name: String(context.name) }
    : undefined;
}

function legacyPlace(by: string, target: unknown, name: PropertyKey): Place | undefined {
  const isStatic = typeof target === 'function';
  const owner: unknown = isStatic ? target : (target as { constructor?: unknown } | undefined)?.constructor;
  if (typeof owner !== 'function') {
    orphans.push(`@${by} ${String(name)}`);
    return undefined;
  }
  const declarations = declarationsOf(owner);
  if (!usable(by, declarations, name, isStatic, false)) return undefined;
  const reflect = Reflect as { getMetadata?: (key: string, target: object, name: PropertyKey) => unknown };
  const designType = reflect.getMetadata?.('design:type', target as object, name);
  return designType === undefined
    ? { declarations, name: String(name) }
    : { declarations, name: String(name), designType };
}

function usable(
  by: string,
  declarations: ClassDeclarations,
  name: PropertyKey,
  isStatic: boolean,
  isPrivate: boolean,
): boolean {
  const why = isStatic
    ? 'static'
    : isPrivate
      ? 'private with #'
      : typeof name === 'symbol'
        ? 'named by a symbol'
        : undefined;
  if (why === undefined) return true;
  declarations.mistakes.push({
    property: String(name),
    message: `@${by} cannot stand on a member that is ${why}: only ordinary properties of an instance are stored.`,
  });
  return false;
}
