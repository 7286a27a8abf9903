/**
 * The text of a migration, as TypeORM's own generator writes it: a class whose name ends in the time it was made, with
 * `up` and `down`. Beside each statement that may lose something stands what it may lose.
 */
import { ConfigurationError, type SchemaChange } from '@storeweave/core';

/** Language of a migration file: TypeScript, or JavaScript as an ES module or a CommonJS one. */
export type MigrationFormat = 'ts' | 'esm' | 'cjs';

export interface MigrationText {
  /** Name of the class, which TypeORM keeps in its table. */
  readonly className: string;
  readonly fileName: string;
  readonly text: string;
}

/** `timestamp`: milliseconds since the epoch, of 13 digits. Throws `ConfigurationError` for a name that is no identifier. */
export function migrationText(
  name: string,
  timestamp: number,
  changes: readonly SchemaChange[],
  format: MigrationFormat,
): MigrationText {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
  const title = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  if (!/^\p{L}/u.test(title)) {
    throw new ConfigurationError(
      `A migration cannot be called ${JSON.stringify(name)}: its name becomes a class, so it begins with a letter, like 'AddPhone'.`,
    );
  }
  const className = `${title}${timestamp}`;
  const up = changes.flatMap((change) => [
    ...(change.destructive ? [`    // DESTRUCTIVE: ${oneLine(change.summary)}`] : []),
    ...change.statements.map(call),
  ]);
  const down = changes
    .toReversed()
    .flatMap(({ summary, undo, destructive }) =>
      undo === undefined
        ? [`    // Cannot be taken back: ${oneLine(summary)}`]
        : [
            ...(destructive ? [`    // Values that were lost do not come back: ${oneLine(summary)}`] : []),
            ...undo.map(call),
          ],
    );
  const extension = format === 'ts' ? 'ts' : 'js';
  return {
    className,
    fileName: `${timestamp}-${title}.${extension}`,
    text: template(className, up.join('\n'), down.join('\n'), format),
  };
}

function template(className: string, up: string, down: string, format: MigrationFormat): string {
  const typed = format === 'ts';
  const parameter = typed ? 'queryRunner: QueryRunner' : 'queryRunner';
  const result = typed ? ': Promise<void>' : '';
  const method = (name: string, body: string) =>
    `  ${typed ? 'public ' : ''}async ${name}(${parameter})${result} {\n${body}\n  }\n`;
  const head = typed
    ? `import type { MigrationInterface, QueryRunner } from 'typeorm';\n\nexport class ${className} implements MigrationInterface {`
    : `/** @implements {import('typeorm').MigrationInterface} */\n${format === 'esm' ? 'export' : `exports.${className} =`} class ${className} {`;
  const tail = format === 'cjs' ? '};\n' : '}\n';
  return `${head}\n  name = '${className}';\n\n${method('up', up)}\n${method('down', down)}${tail}`;
}

function call(statement: string): string {
  const escaped = statement.replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('${', '\\${');
  return `    await queryRunner.query(\`${escaped}\`);`;
}

/** For a comment: a name in a summary may contain anything. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}
