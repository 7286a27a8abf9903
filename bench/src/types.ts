/**
 * `npm run bench -- types`: what type-checking entities costs an application. 100 entities of 15 properties, alone and
 * with 300 queries, in every front end, beside the same classes without decorators, MikroORM and TypeORM. Measured is
 * the CPU time of the whole `tsc`, not the clock, because machines are shared; beside it the compiler's instantiations,
 * which no load changes. The entities see our declaration files, as applications do.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import ts from 'typescript';
import { type BenchRow, median } from './rounds.js';
import { type Contender, contenders } from './types-sources.js';

const ENTITIES = 100;
const root = fileURLToPath(new URL('../../', import.meta.url));
const runFile = promisify(execFile);
const TSC = createRequire(import.meta.url).resolve('typescript/lib/tsc.js');
const HOOK =
  "process.on('exit', () => { const { user, system } = process.cpuUsage(); console.log('CPU:', (user + system) / 1000); });";

interface Cost {
  readonly cpuMs: number;
  readonly instantiations: number;
}

/** One contender with or without queries, and what it cost so far. */
interface Project {
  readonly contender: Contender;
  readonly bench: 'types/entities' | 'types/queries';
  readonly config: string;
  readonly costs: Cost[];
}

/** Rows of CPU time in milliseconds; those of `…/instantiations` count thousands of instantiations instead. */
export async function run(options: { readonly json: boolean; readonly rounds?: number }): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'storeweave-types-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    const hook = join(folder, 'cpu.cjs');
    writeFileSync(hook, HOOK);
    emitDeclarations(join(folder, 'node_modules/@storeweave/core'));
    for (const name of ['@mikro-orm', '@types', 'typeorm', 'reflect-metadata', 'undici-types']) {
      symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), 'junction');
    }
    const projects = contenders.flatMap((contender, at) => writeProjects(contender, join(folder, `c${at}`)));
    const rounds = options.rounds ?? 5;
    for (let round = -1; round < rounds; round++) {
      for (const project of round % 2 === 0 ? projects : projects.toReversed()) {
        const cost = await check(project, hook);
        if (round >= 0) project.costs.push(cost);
        if (!options.json) process.stderr.write('.');
      }
    }
    if (!options.json) process.stderr.write('\n');
    return [...report(projects, 'types/entities'), ...report(projects, 'types/queries')];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The declaration files of core, as its package has them. */
function emitDeclarations(target: string): void {
  const source = join(root, 'packages/core/src');
  const { options } = ts.parseJsonConfigFileContent(
    {
      extends: join(root, 'tsconfig.base.json'),
      compilerOptions: {
        rootDir: source,
        outDir: join(target, 'dist'),
        emitDeclarationOnly: true,
        declarationMap: false,
      },
    },
    ts.sys,
    source,
  );
  const program = ts.createProgram([join(source, 'index.ts')], options);
  const { emitSkipped } = program.emit();
  if (emitSkipped) throw new Error('the declarations of @storeweave/core could not be written; run npm run build');
  const manifest = { name: '@storeweave/core', type: 'module', exports: { '.': { types: './dist/index.d.ts' } } };
  writeFileSync(join(target, 'package.json'), JSON.stringify(manifest));
}

function writeProjects(contender: Contender, folder: string): Project[] {
  mkdirSync(folder, { recursive: true });
  const entities = Array.from({ length: ENTITIES }, (_, n) => `e${n}.ts`);
  const queries = Array.from({ length: ENTITIES }, (_, n) => `q${n}.ts`);
  entities.forEach((file, n) => {
    writeFileSync(join(folder, file), contender.entity(n, ENTITIES));
  });
  queries.forEach((file, n) => {
    writeFileSync(join(folder, file), contender.queries(n, ENTITIES));
  });
  return [
    { bench: 'types/entities', files: entities },
    { bench: 'types/queries', files: [...entities, ...queries] },
  ].map(({ bench, files }) => {
    const config = join(folder, `${bench.replace('/', '-')}.json`);
    writeFileSync(config, JSON.stringify({ compilerOptions: compilerOptions(contender.legacy), files }));
    return { contender, bench: bench as Project['bench'], config, costs: [] };
  });
}

function compilerOptions(legacy: boolean): object {
  return {
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable', 'esnext.decorators'],
    module: 'nodenext',
    moduleResolution: 'nodenext',
    strict: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: true,
    noEmit: true,
    types: ['node'],
    experimentalDecorators: legacy,
  };
}

/** Runs the compiler as users do, in a process of its own that tells its CPU time at the end. */
async function check(project: Project, hook: string): Promise<Cost> {
  const name = `${project.bench}: ${project.contender.name}`;
  const args = ['--require', hook, TSC, '-p', project.config, '--extendedDiagnostics'];
  const { stdout } = await runFile(process.execPath, args).catch((error: { stdout?: string }) => {
    throw new Error(`${name} does not compile:\n${error.stdout?.slice(0, 1000)}`, { cause: error });
  });
  const cpuMs = Number(/^CPU: +([\d.]+)/m.exec(stdout)?.[1]);
  const instantiations = Number(/^Instantiations: +(\d+)/m.exec(stdout)?.[1]);
  if (!(cpuMs > 0) || Number.isNaN(instantiations))
    throw new Error(`${name}: the compiler told no figures:\n${stdout}`);
  return { cpuMs, instantiations };
}

function report(projects: readonly Project[], bench: Project['bench']): BenchRow[] {
  const ours = projects.filter((project) => project.bench === bench);
  const row = (suffix: string, n: number, values: readonly number[]) =>
    ours.map(({ contender }, at) => ({
      bench: `${bench}${suffix}`,
      n,
      contender: contender.name,
      medianMs: Math.round(values[at] ?? 0),
      ratio: Number(((values[at] ?? 0) / base(values)).toFixed(3)),
    }));
  const n = bench === 'types/queries' ? 3 * ENTITIES : ENTITIES;
  return [
    ...row(
      '',
      n,
      ours.map(({ costs }) => median(costs.map((cost) => cost.cpuMs))),
    ),
    ...row(
      '/instantiations',
      n,
      ours.map(({ costs }) => median(costs.map((cost) => cost.instantiations)) / 1000),
    ),
  ];
}

/** What ratios refer to: the first contender, or the first that costs anything, as plain classes instantiate nothing. */
function base(values: readonly number[]): number {
  return values.find((value) => value >= 1) ?? 1;
}
