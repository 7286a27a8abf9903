/**
 * JSON on MariaDB, with PostgreSQL's meaning: its own JSON_CONTAINS finds an element of a list's list, and its paths take
 * a plain value for a list of one. So containment is taken apart into its parts, which are known, and each path step
 * says what it is into.
 */

import { InvalidQueryError } from '@storeweave/core';
import type { Comparison, JsonDialect, Parameters } from '../dialect.js';
import type { Json } from '../portable/json-values.js';
import { EXACT } from './mariadb-value.js';

const type = (value: string): string => `json_type(${value})`;
const isNumber = (value: string): string => `${type(value)} in ('INTEGER', 'DOUBLE')`;
const unquoted = (value: string): string => `json_unquote(${value}) collate ${EXACT.collation}`;
/** Not JSON_EQUALS, which holds for absent values in a WHERE. */
const equal = (left: string, right: string): string =>
  `json_normalize(${left}) collate ${EXACT.collation} = json_normalize(${right})`;
const asDouble = (value: string): string => `cast(json_value(${value}, '$') as double)`;

/** Path to a member; quoted, because a key may be anything. */
function member(key: string, scope: Parameters): string {
  if (key.includes('\0')) throw new InvalidQueryError('A key of JSON with a NUL character cannot be asked for.');
  return scope.parameter(`$.${JSON.stringify(key)}`, 'text');
}

function step(value: string, key: string, scope: Parameters): string {
  const named = `json_extract(${value}, ${member(key, scope)})`;
  if (!/^\d+$/.test(key)) return named;
  const element = `json_extract(${value}, ${scope.parameter(`$[${Number(key)}]`, 'text')})`;
  return `if(${type(value)} = 'ARRAY', ${element}, ${named})`;
}

/** Containment of one known value; `whole` is an expression. */
class Containment {
  #tables = 0;

  constructor(private readonly scope: Parameters) {}

  of(whole: string, part: Json): string {
    const within = this.#within(whole, part);
    if (part !== null && typeof part === 'object') return within;
    // A list has the plain values that are its elements.
    return `(${within} or (${type(whole)} = 'ARRAY' and ${this.#some(whole, (element) => this.#within(element, part))}))`;
  }

  #within(whole: string, part: Json): string {
    if (Array.isArray(part)) {
      const each = (part as readonly Json[]).map((item) => this.#some(whole, (element) => this.#within(element, item)));
      return `(${[`${type(whole)} = 'ARRAY'`, ...each].join(' and ')})`;
    }
    if (part !== null && typeof part === 'object') {
      const each = Object.entries(part).map(([key, value]) =>
        this.#within(`json_extract(${whole}, ${member(key, this.scope)})`, value),
      );
      return `(${[`${type(whole)} = 'OBJECT'`, ...each].join(' and ')})`;
    }
    return `ifnull(${equal(whole, this.scope.parameter(JSON.stringify(part), 'text'))}, false)`;
  }

  #some(list: string, test: (element: string) => string): string {
    const name = `j${this.#tables++}`;
    return `exists (select 1 from json_table(${list}, '$[*]' columns (v json path '$')) as ${name} where ${test(`${name}.v`)})`;
  }
}

function comparison(left: string, operator: Comparison, right: string, sample: unknown): string {
  switch (typeof sample) {
    case 'number':
      return `(${isNumber(left)} and ${asDouble(left)} ${operator} cast(${right} as double))`;
    case 'string':
      return `(${type(left)} = 'STRING' and ${unquoted(left)} ${operator} ${unquoted(right)})`;
    case 'boolean':
      return `(${type(left)} = 'BOOLEAN' and ${left} ${operator} ${right})`;
    default:
      return operator.includes('=') ? equal(left, right) : 'false';
  }
}

export const mariadbJson: JsonDialect = {
  at: (expression, path, scope) =>
    `nullif(${path.reduce((value, key) => step(value, key, scope), expression)}, 'null')`,
  value: (text, scope) => scope.parameter(text, 'text'),
  equals: equal,
  isOneOf: (left, texts, scope) => {
    if (texts.length === 0) return 'false';
    return `(${texts.map((text) => equal(left, scope.parameter(text, 'text'))).join(' or ')})`;
  },
  compares: comparison,
  contains: (left, text, scope) => new Containment(scope).of(left, JSON.parse(text) as Json),
  string: (value) => `if(${type(value)} = 'STRING', ${unquoted(value)}, null)`,
  number: (value) => `if(${isNumber(value)}, ${asDouble(value)}, null)`,
  sortable: (value) => value,
};

/** What JSON values sort by: strings, numbers, booleans, lists, objects, each among their own. */
export function jsonSortKeys(value: string): string[] {
  const rank = `find_in_set(${type(value)}, 'STRING,INTEGER,DOUBLE,BOOLEAN,ARRAY,OBJECT')`;
  return [
    `if(${isNumber(value)}, 2, ${rank})`,
    mariadbJson.number(value),
    `if(${isNumber(value)}, null, ${unquoted(value)})`,
  ];
}
