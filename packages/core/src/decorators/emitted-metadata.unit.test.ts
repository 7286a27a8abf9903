/**
 * Legacy decorators with `emitDecoratorMetadata`, compiled by TypeScript itself and run by Node: no other tool of ours
 * emits it. Two modules import each other, as entities do; what is emitted for their relations must not touch a class
 * that does not exist yet.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import ts from 'typescript';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

const SOURCES = {
  'user.ts': `
    import 'reflect-metadata';
    import { Id, ManyToOne, Property, Ref, Relational, Version } from '@storeweave/core';
    import { Team } from './team.js';
    @Relational()
    export class User {
      @Id() id!: string;
      @Property() name!: string;
      @Property() score!: number;
      @Property() active!: boolean;
      @Property() born!: Date;
      @Property() big!: bigint;
      @Property() photo!: Uint8Array;
      @Property('text') long!: string;
      @Version() version!: number;
      @ManyToOne(() => Team) team!: Ref<Team>;
    }`,
  'team.ts': `
    import { Collection, Id, OneToMany, Relational } from '@storeweave/core';
    import { User } from './user.js';
    @Relational()
    export class Team {
      @Id() id!: string;
      @OneToMany(() => User, (user) => user.team) users!: Collection<User>;
    }`,
  'bad.ts': `
    import { Id, Property, Relational } from '@storeweave/core';
    const unchecked = Property as unknown as (type: string) => PropertyDecorator;
    @Relational()
    export class Bad {
      @Id() id!: string;
      @Property() union!: string | null;
      @Property() list!: string[];
      @unchecked('integer') text!: string;
    }`,
  'main.ts': `
    import { compileDomain, type MetadataError } from '@storeweave/core';
    import { User } from './user.js';
    import { Team } from './team.js';
    import { Bad } from './bad.js';
    const types = compileDomain([User, Team]).of(User).fields.map((field) => field.name + ': ' + field.type);
    let problems: string[] = [];
    try {
      compileDomain([Bad]);
    } catch (error) {
      problems = (error as MetadataError).problems.map((problem) => problem.property + ': ' + problem.message);
    }
    console.log(JSON.stringify({ types, problems }));`,
};

let folder: string;

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'storeweave-emit-')));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');
  for (const [name, text] of Object.entries(SOURCES)) writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('is used where it says enough, and asked about where it does not', async () => {
  const { options } = ts.parseJsonConfigFileContent(
    {
      extends: join(root, 'tsconfig.base.json'),
      compilerOptions: {
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
        isolatedModules: false,
        verbatimModuleSyntax: false,
        declaration: false,
        declarationMap: false,
        types: ['node', 'reflect-metadata'],
        rootDir: folder,
        outDir: join(folder, 'out'),
      },
    },
    ts.sys,
    folder,
  );
  const program = ts.createProgram([join(folder, 'main.ts')], options);
  const own = program.getSourceFiles().filter((file) => file.fileName.startsWith(folder));
  for (const file of own) program.emit(file);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@storeweave/source', '--import', 'tsx', join(folder, 'out/main.js')],
    { cwd: root },
  );
  const { types, problems } = JSON.parse(stdout) as { types: string[]; problems: string[] };
  expect(types).toEqual([
    'id: uuid',
    'name: string',
    'score: float',
    'active: boolean',
    'born: timestamp',
    'big: bigint',
    'photo: bytes',
    'long: text',
    'version: integer',
    'team: uuid',
  ]);
  expect(problems).toEqual([
    expect.stringMatching(/^union: @Property\(\) needs a type.*does not say enough for a union/),
    expect.stringMatching(/^list: @Property\(\) needs a type.*does not say enough for a union/),
    'text: @Property keeps an integer, which is a Number in the class, but the property is a String. Change one of them.',
  ]);
}, 120_000);
