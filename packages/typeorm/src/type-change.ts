/** Changes of a column's type that keep every value, so that they need nobody's leave. Types as `format_type` writes them. */

interface Parsed {
  readonly base: string;
  readonly numbers: readonly number[];
  readonly array: boolean;
}

function parse(type: string): Parsed {
  const array = type.endsWith('[]');
  const scalar = array ? type.slice(0, -2) : type;
  const numbers = /\(([\d,]+)\)/.exec(scalar)?.[1]?.split(',').map(Number) ?? [];
  return { base: scalar.replace(/\([\d,]+\)/, ''), numbers, array };
}

/** Base types that fit into another without loss, whatever the modifiers of the first are. */
const wider: Readonly<Record<string, readonly string[]>> = {
  smallint: ['integer', 'bigint', 'text'],
  integer: ['bigint', 'text'],
  bigint: ['text'],
  real: ['double precision'],
  uuid: ['text'],
  'character varying': ['text'],
  date: ['text'],
};

/** True where every value of `from` is one of `to`, and means the same. */
export function isWidening(from: string, to: string): boolean {
  const a = parse(from);
  const b = parse(to);
  if (a.array !== b.array) return false;
  if (a.base === b.base) return fits(a, b);
  if (b.base === 'text' || b.numbers.length === 0) {
    const target = b.base === 'character varying' ? 'text' : b.base;
    if (a.base === 'text' && target === 'text') return true;
    return wider[a.base]?.includes(target) === true;
  }
  return false;
}

/** True where a column of type `existing` serves as one of type `wanted`: it holds more, of the same kind. */
export function servesAs(existing: string, wanted: string): boolean {
  const isText = (type: string) => /^(?:text|character varying)/.test(type);
  return isWidening(wanted, existing) && isText(existing) === isText(wanted);
}

function fits(a: Parsed, b: Parsed): boolean {
  if (b.numbers.length === 0) return true;
  if (a.numbers.length === 0) return false;
  const [aFirst = 0, aScale = 0] = a.numbers;
  const [bFirst = 0, bScale = 0] = b.numbers;
  if (a.base === 'numeric') return bScale >= aScale && bFirst - bScale >= aFirst - aScale;
  return bFirst >= aFirst;
}
