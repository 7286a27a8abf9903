/** What comes from the application stays a value, in Flux, in line protocol and in the predicate of a deletion. */
import { compileDomain, Field, Measurement, type Row, Tag, Timestamp } from '@storeweave/core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Connection } from './connection.js';
import { fluxString } from './flux.js';
import { everything, insert, openStore, serverOptions } from './store.fixture.js';
import type { InfluxdbStore } from './store.js';

@Measurement({ name: 'm" or r["_measurement"] != "' })
class Odd {
  @Timestamp() at!: Date;
  @Tag() place!: string;
  @Field('string') word!: string;
}

@Measurement({ name: 'bystanders' })
class Bystander {
  @Timestamp() at!: Date;
  @Tag() place!: string;
  @Field('string') word!: string;
}

@Measurement({ name: `it's \${1 + 1} = #odd` })
class Legal {
  @Timestamp() at!: Date;
  @Tag('string', { column: `place of \${work} = #1` }) place!: string;
  @Field('string', { column: `word's = \${x}` }) word!: string;
}

const attacks = [
  '" or true or "" == "',
  '") |> yield(name: "x") //',
  '"]) or (r["_measurement"] != "',
  '\\" or true //',
  '\\',
  '\\\\"',
  `\${r._measurement}`,
  `$\${1 + 1}`,
  `\\\${1 + 1}`,
  '" OR "place"="safe',
  '" AND "place"!="',
  "' or '1'='1",
  '\n|> drop(columns: ["place"])',
  '\r\n\r\n#datatype,string',
  'x,place=safe word="changed" 1',
  'x word="changed" 1\nbystanders,place=safe word="changed" 1',
  '\u0000',
  '/* ',
  '// ',
  'true',
  '*',
  '%~22',
];

describe('what an application says', () => {
  const domain = compileDomain([Bystander, Legal]);
  const bystander = domain.of(Bystander);
  const legal = domain.of(Legal);
  const safe: Row[] = [
    [1, 'safe', 'kept'],
    [2, 'safe', 'kept'],
  ];
  let store: InfluxdbStore;
  beforeAll(async () => {
    const options = await serverOptions('injection');
    store = await openStore({ ...options, bucketPrefix: `${options.bucketPrefix}it's \${1 + 1} \\ & ?x=1#` }, [
      bystander,
      legal,
    ]);
    await insert(store, bystander, safe);
  });
  afterAll(() => store.close());

  it.each(attacks)('%j is a value', async (attack) => {
    const [time, place, word] = legal.fields;
    if (time === undefined || place === undefined || word === undefined) throw new Error('no fields');
    const rows: Row[] = [
      [1, attack, attack],
      [1, 'safe', 'safe'],
    ];
    await insert(store, legal, rows);
    const where = { op: 'eq', on: { field: place }, value: attack } as const;
    expect(await store.read({ entity: legal, fields: legal.fields, where }, {})).toEqual([rows[0]]);
    const column = { alias: attack, function: 'last', field: word } as const;
    const spec = { entity: legal, groupBy: [place], columns: [column], fill: 'none', order: 'asc', where } as const;
    expect(await store.series.window(spec, {})).toEqual([{ start: 1, group: [attack], values: [attack] }]);
    const keys = [[1, attack]];
    expect(await store.write({ op: 'delete', entity: legal, keys }, {})).toEqual({ count: 1, missed: [] });
    expect(await store.bulk({ op: 'deleteWhere', entity: legal, where }, {})).toBe(0);
    expect(await everything(store, legal)).toEqual([rows[1]]);
    expect(await everything(store, bystander)).toEqual(safe);
  });

  it('in a name that no server takes is refused when the store is opened', async () => {
    const odd = compileDomain([Odd]).of(Odd);
    const options = await serverOptions('odd');
    await expect(openStore(options, [odd])).rejects.toThrow(
      /Odd: the measurement, .* has a control character, a comma, a quote/,
    );
  });
});

describe('a string literal', () => {
  it('is the string, for every string', async () => {
    const connection = new Connection(await serverOptions('literals'));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.constantFrom(...attacks), fc.string({ unit: 'binary' })), { minLength: 1, maxLength: 40 }),
        async (texts) => {
          const rows = texts.map((text, i) => `{i: ${i}, text: ${fluxString(`+${text}`)}}`).join(', ');
          const found: string[] = [];
          let at = 0;
          await connection.query(
            `import "array"\narray.from(rows: [${rows}])`,
            {
              header: (columns) => {
                at = columns.get('text') ?? 0;
              },
              row: (cells) => found.push(cells[at] ?? ''),
            },
            { doing: 'try literals', access: {} },
          );
          // An array of the server's may not hold an empty string, and its answer loses carriage returns.
          expect(found).toEqual(texts.map((text) => `+${text.replaceAll('\r', '')}`));
        },
      ),
      { numRuns: 40 },
    );
    connection.close();
  });
});
