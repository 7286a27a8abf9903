/** Writes a stored property down. The one way from a decorator's arguments to a declaration. */
import type { FieldDeclaration, FieldOptions } from '../metadata/declarations.js';
import type { FieldType } from '../model/field.js';
import { memberPlace } from './place.js';
import type { At } from './shape.js';

/** The decorator of a stored property. `options` go with the type. */
export function declareField(
  by: string,
  type: FieldType | undefined,
  options: object = {},
  more: Partial<Pick<FieldDeclaration, 'id' | 'special' | 'role'>> = {},
): (target: unknown, at: At) => void {
  return (target, at) => {
    const place = memberPlace(by, target, at);
    if (place === undefined) return;
    const all = (type === undefined ? options : { ...options, type }) as FieldOptions;
    place.declarations.members.push({
      kind: 'field',
      name: place.name,
      by,
      role: 'property',
      options: all,
      ...more,
      ...(place.designType === undefined ? {} : { designType: place.designType }),
    });
  };
}
