/** What a command says: its result on standard output, for people or as one JSON object, and everything else on standard error. */

export interface Streams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

export class Output {
  constructor(
    private readonly streams: Streams,
    /** True: standard output gets one JSON object and nothing else. */
    readonly json: boolean,
  ) {}

  /** The result of the command. */
  result(data: object, text: string): void {
    this.streams.stdout.write(this.json ? `${JSON.stringify(data)}\n` : `${text}\n`);
  }

  /** What goes on meanwhile. */
  progress(text: string): void {
    if (!this.json) this.streams.stderr.write(`${text}\n`);
  }
}

/** Columns as wide as their widest cell, two spaces apart. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  }
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
