/**
 * One statement as the `pg` client submits it, cut down to what we need: text in, text out. `pg`'s own query makes an
 * object, a parser per column and a copy of each row, and asks the server to describe columns that we know already;
 * without that, a read by id takes two thirds of the time. The interface is the one that `pg-cursor` and
 * `pg-query-stream` use. Clients without it (pg-native, pipelines) get an ordinary query.
 */
import type { PgAnswer, PgClient } from './pg-client.js';

/** The parts of `pg`'s connection that a submitted query speaks to. */
interface Wire {
  readonly parsedStatements: Record<string, string | undefined>;
  readonly submittedNamedStatements?: Record<string, string | undefined>;
  readonly stream: { cork?(): void; uncork?(): void };
  query(text: string): void;
  parse(message: { text: string; name?: string }): void;
  bind(message: { portal: string; statement?: string; values: readonly (string | null)[]; binary: boolean }): void;
  describe(message: { type: 'P'; name: string }): void;
  execute(message: { portal: string }): void;
  sync(): void;
  sendCopyFail(message: string): void;
}

export interface TextQueryConfig {
  readonly text: string;
  readonly values: readonly (string | null)[];
  readonly name?: string;
  /** Whether the answer tells its columns. */
  readonly describe: boolean;
  /** Sent in the same request, and run if the first one succeeds; the answer's command is its own. */
  readonly then?: string;
}

const commandTag = /^([A-Za-z]+)(?: \d+)?(?: (\d+))?/;

/** True where the client takes submitted queries. */
function takesTextQueries(client: PgClient): boolean {
  const { connection, pipeline } = client as unknown as { connection?: Partial<Wire>; pipeline?: boolean };
  return pipeline !== true && typeof connection?.parse === 'function' && typeof connection.sync === 'function';
}

class TextQuery {
  readonly text: string;
  readonly name: string | undefined;
  /** `pg` wraps it where the pool has a `query_timeout`. */
  callback: ((error: Error | null, answer?: PgAnswer) => void) | undefined;
  #rows: (string | null)[][] = [];
  #fields: PgAnswer['fields'] = [];
  #command = '';
  #count = 0;

  constructor(private readonly config: TextQueryConfig) {
    this.text = config.text;
    this.name = config.name;
  }

  submit(wire: Wire): Error | null {
    const { text, name, values, describe, then } = this.config;
    if (name === undefined && values.length === 0 && !describe && then === undefined) {
      wire.query(text);
      return null;
    }
    wire.stream.cork?.();
    try {
      const isParsed =
        name !== undefined &&
        (wire.parsedStatements[name] !== undefined || wire.submittedNamedStatements?.[name] !== undefined);
      if (!isParsed) {
        wire.parse({ text, name });
        if (name !== undefined && wire.submittedNamedStatements !== undefined) {
          wire.submittedNamedStatements[name] = text;
        }
      }
      wire.bind({ portal: '', statement: name, values, binary: false });
      if (describe) wire.describe({ type: 'P', name: '' });
      wire.execute({ portal: '' });
      if (then !== undefined) {
        // Until the sync the server skips everything after a failure.
        wire.parse({ text: then });
        wire.bind({ portal: '', values: [], binary: false });
        wire.execute({ portal: '' });
      }
      wire.sync();
    } finally {
      wire.stream.uncork?.();
    }
    return null;
  }

  handleRowDescription(message: { readonly fields: PgAnswer['fields'] }): void {
    this.#fields = message.fields;
  }

  handleDataRow(message: { readonly fields: (string | null)[] }): void {
    this.#rows.push(message.fields);
  }

  handleCommandComplete(message: { readonly text: string }): void {
    // Of several statements in one text the first one's word and the last one's rows count.
    const match = commandTag.exec(message.text);
    if (this.#command === '' || this.config.then !== undefined) this.#command = match?.[1] ?? '';
    this.#count = Number(match?.[2] ?? /\d+$/.exec(message.text)?.[0] ?? 0);
  }

  handleError(error: Error): void {
    const { callback } = this;
    this.callback = undefined;
    callback?.(error);
  }

  handleReadyForQuery(): void {
    const { callback } = this;
    this.callback = undefined;
    callback?.(null, { command: this.#command, rowCount: this.#count, rows: this.#rows, fields: this.#fields });
  }

  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
  handleCopyData(): void {}

  handleCopyInResponse(wire: Wire): void {
    wire.sendCopyFail('COPY FROM STDIN is not supported here');
  }
}

/** Sends one statement (or several without values); rejects with the driver's error. */
export function sendText(client: PgClient, config: TextQueryConfig): Promise<PgAnswer> {
  if (!takesTextQueries(client)) return sendOrdinary(client, config);
  return submitted(client, config);
}

function submitted(client: PgClient, config: TextQueryConfig): Promise<PgAnswer> {
  const query = new TextQuery(config);
  return new Promise((resolve, reject) => {
    query.callback = (error, answer) => {
      if (error !== null) reject(error);
      else resolve(answer as PgAnswer);
    };
    (client.query as unknown as (submitted: TextQuery) => unknown).call(client, query);
  });
}

const asText = { getTypeParser: () => (text: string) => text };

async function sendOrdinary(client: PgClient, { then, ...config }: TextQueryConfig): Promise<PgAnswer> {
  const answer = await sendOne(client, config);
  return then === undefined ? answer : sendOne(client, { text: then, values: [], describe: false });
}

async function sendOne(client: PgClient, { text, values, name }: TextQueryConfig): Promise<PgAnswer> {
  const given = values.length > 0 || name !== undefined ? { values: [...values] } : {};
  const answer = await client.query({ text, name, ...given, rowMode: 'array', types: asText });
  if (!Array.isArray(answer)) return answer;
  return { ...(answer.at(-1) as PgAnswer), command: answer[0]?.command ?? null };
}
