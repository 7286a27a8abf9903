/**
 * The rooms of the house and the doors between them. Types count: a cycle of types is a cycle.
 * `test/src/imports.e2e.test.ts` runs this file over planted mistakes and so proves that every rule can fail.
 */

const { readFileSync } = require('node:fs');
const { join } = require('node:path');

/** Rooms of packages/core/src in the order of the way of the data; imports go to the right only. */
const ROOMS = [
  'weave',
  'decorators',
  'metadata',
  'repository',
  'query',
  'session',
  'audit',
  'unit-of-work',
  'hydrate',
  'relations',
  'commit',
  'store',
  'model',
  'errors',
];

/** Which packages may import which. A package that is not named here may be imported by no other. */
const PACKAGES = {
  core: [],
  sql: ['core'],
  typeorm: ['core', 'sql'],
  postgres: ['core', 'sql'],
  embedded: ['core', 'sql', 'typeorm', 'postgres'],
  mongodb: ['core'],
  neo4j: ['core'],
  influxdb: ['core'],
  testing: ['core'],
};

/** The doors of a package: the source files that its `exports` name. */
const doors = Object.keys(PACKAGES).flatMap((name) => {
  const manifest = join(__dirname, 'packages', name, 'package.json');
  const { exports: entries } = JSON.parse(readFileSync(manifest, 'utf8'));
  return Object.values(entries)
    .map((entry) => entry['@storeweave/source'])
    .filter((source) => source !== undefined)
    .map((source) => `^packages/${name}/${source.replace('./', '').replaceAll('.', '[.]')}$`);
});
const DOORS = [...doors, '^packages/[^/]+/dist/'];

/** In tests a package may also use the contract suite. */
const TESTS = '[.](test|contract|fixture)[.]ts$|/(fixtures?|legacy)/';

/** Room -> every room to its left. `types` may be imported by all and imports only relations and model. */
const leftwards = ROOMS.slice(1).map((room, i) => ({
  name: 'rooms-import-rightwards',
  comment: `packages/core/src/${room} must not know the rooms before it: ${ROOMS.slice(0, i + 1).join(', ')}.`,
  severity: 'error',
  from: { path: `^packages/core/src/${room}/`, pathNot: TESTS },
  to: { path: `^packages/core/src/(${ROOMS.slice(0, i + 1).join('|')})/` },
}));

const directions = Object.entries(PACKAGES).map(([name, allowed]) => ({
  name: 'packages-import-downwards',
  comment: `@storeweave/${name} may import ${allowed.length === 0 ? 'no other package' : allowed.join(', ')}.`,
  severity: 'error',
  from: { path: `^packages/${name}/`, pathNot: TESTS },
  to: { path: '^packages/', pathNot: `^packages/(${[name, ...allowed].join('|')})/` },
}));

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Files that import one another cannot be understood one at a time.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    ...leftwards,
    {
      name: 'rooms-import-rightwards',
      comment: 'The types of the public API stand on relations and model alone.',
      severity: 'error',
      from: { path: '^packages/core/src/types/', pathNot: TESTS },
      to: { path: '^packages/core/src/', pathNot: '^packages/core/src/(types|relations|model|errors)/' },
    },
    {
      name: 'rooms-are-named',
      comment: 'Every folder of packages/core/src is a room of the list, so that the order above covers all code.',
      severity: 'error',
      from: { path: '^packages/core/src/', pathNot: TESTS },
      to: { path: '^packages/core/src/[^/]+/', pathNot: `^packages/core/src/(types|${ROOMS.join('|')})/` },
    },
    {
      name: 'core-imports-no-driver',
      comment: 'The core asks a store what it can do and never talks to a product itself.',
      severity: 'error',
      from: { path: '^packages/core/src/', pathNot: TESTS },
      to: {
        path: '(^|node_modules/)(pg|pg-[a-z-]+|typeorm|@electric-sql/[a-z-]+|mongodb|neo4j-driver[a-z-]*|@influxdata/[a-z-]+|ioredis|redis|mysql2?|better-sqlite3|sqlite3|kysely)(/|$)',
      },
    },
    ...directions,
    {
      name: 'packages-have-one-door',
      comment: 'Packages use each other through the files that their exports name, as a stranger would.',
      severity: 'error',
      from: { path: '^packages/([^/]+)/' },
      to: { path: '^packages/', pathNot: ['^packages/$1/', ...DOORS] },
    },
    {
      name: 'packages-have-one-door',
      comment: 'Examples, docs, tests and benchmarks use the packages through the files that their exports name.',
      severity: 'error',
      from: { path: '^(examples|docs|test|bench)/' },
      to: { path: '^packages/', pathNot: DOORS },
    },
    {
      name: 'packages-import-downwards',
      comment: 'A package does not know the examples, docs, tests and benchmarks that use it.',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^(examples|docs|test|bench)/' },
    },
    {
      name: 'no-inner-barrels',
      comment: 'Only a package has an index.ts; inside it, a file is imported by its own name.',
      severity: 'error',
      from: {},
      to: { path: '^packages/[^/]+/src/.+/index[.]ts$' },
    },
    {
      name: 'every-import-resolves',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: ['node_modules', '(^|/)dist/'] },
    exclude: { path: '(^|/)dist/|^test/fixtures/' },
    moduleSystems: ['es6', 'cjs'],
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@storeweave/source', 'import', 'node', 'types', 'default'],
      extensions: ['.ts', '.mts', '.js', '.mjs', '.cjs', '.json', '.d.ts'],
    },
  },
};
