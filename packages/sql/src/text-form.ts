/**
 * Text forms that differ from those of a field's type: columns that another library made, whose SQL type is not the one
 * that Storeweave would choose. Told before the first statement, like everything that the metadata says of a table.
 */
import type { Field, Value } from '@storeweave/core';

/** Both ways between the neutral value and the server's text; of an array field for one element. */
export interface TextForm {
  readonly decode: (text: string) => Value;
  /** Its text has no need of quotes in an array literal only if that of the field's type has none. */
  readonly encode: (value: Value) => string;
}

const forms = new WeakMap<Field, TextForm>();

export function useTextForm(field: Field, form: TextForm): void {
  forms.set(field, form);
}

export function textFormOf(field: Field): TextForm | undefined {
  return forms.get(field);
}
