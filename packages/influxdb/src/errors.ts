/**
 * What goes wrong with the server, as errors of Storeweave. The client's error stays as `cause`; the message says what
 * was asked, of which entity, and what to do.
 */
import { HttpError, RequestTimedOutError } from '@influxdata/influxdb-client';
import {
  AbortedError,
  type Access,
  ConfigurationError,
  ConnectionError,
  DiskFullError,
  type EntityModel,
  type ErrorSubject,
  ReadOnlyError,
  SchemaError,
  StoreBusyError,
  StoreError,
  StoreweaveError,
  TimeoutError,
} from '@storeweave/core';

/** What is being asked of the server, for messages. */
export interface Call {
  /** "write points of Reading". */
  readonly doing: string;
  readonly access: Access;
  readonly entity?: EntityModel;
  /** Becomes aborted when `access.timeoutMs` has passed since the call began; absent: each request has that long. */
  readonly deadline?: AbortSignal;
}

const UNREACHABLE: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

/** Aborted once the time of a call that begins now is over; undefined where it has no limit. */
export function deadlineOf({ timeoutMs }: Access): AbortSignal | undefined {
  return timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
}

/** True where the server could not be reached or the connection broke, before anything was answered. */
export function isUnreachable(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return UNREACHABLE.has(code) || message === 'Response aborted' || message === 'aborted';
}

/** True where the server asks to come again later. */
export function isBusy(error: unknown): error is HttpError {
  return error instanceof HttpError && (error.statusCode === 429 || error.statusCode === 503);
}

/** The error of Storeweave for what the client threw. */
export function mapError(error: unknown, { doing, access, entity, deadline }: Call): StoreweaveError {
  if (error instanceof StoreweaveError) return error;
  const subject: ErrorSubject = entity === undefined ? {} : { entity: entity.name, store: entity.store };
  const options = { ...subject, cause: error };
  const failed = `InfluxDB could not ${doing}`;
  if (access.signal?.aborted) {
    return new AbortedError(`The caller's signal ended the wait to ${doing}.`, {
      ...subject,
      cause: access.signal.reason,
    });
  }
  if (deadline?.aborted) {
    return new TimeoutError(
      `${failed} within the ${access.timeoutMs} ms of the call. Give it more time, or ask for less.`,
      options,
    );
  }
  if (error instanceof RequestTimedOutError) {
    return new TimeoutError(`${failed}: the server was silent for too long. See the option timeoutMs.`, options);
  }
  if (error instanceof HttpError) return httpError(error, failed, options);
  if (isUnreachable(error)) {
    return new ConnectionError(
      `${failed}: the server cannot be reached (${messageOf(error)}). Try again when it answers.`,
      options,
    );
  }
  return new StoreError(`${failed}: ${messageOf(error)}.`, options);
}

function httpError(error: HttpError, failed: string, options: ErrorSubject & { cause: unknown }): StoreweaveError {
  const said = `${failed}: ${messageOf(error)}`;
  const { statusCode } = error;
  if (/no space left/i.test(error.message)) return new DiskFullError(`${said}. Make room on the server.`, options);
  if (/read.?only/i.test(error.message)) return new ReadOnlyError(said, options);
  switch (statusCode) {
    case 401:
      return new ConfigurationError(`${said}. The token is not valid: see the option token.`, options);
    case 403:
      return new ConfigurationError(
        `${said}. The token may not do this: give it read and write of the buckets.`,
        options,
      );
    case 404:
      if (/organization/i.test(error.message)) return new ConfigurationError(`${said}. See the option org.`, options);
      return new SchemaError(
        `${said}. Make the buckets by weave.schema.apply(), or open with schema: 'apply'.`,
        options,
      );
    case 413:
      return new ConfigurationError(`${said}. Lower the option batchBytes.`, options);
    case 429:
      return new StoreBusyError(`${said}. The server asks to come again in ${error.retryAfter()} s.`, options);
    case 502:
    case 503:
    case 504:
      return new ConnectionError(`${said}. Try again later.`, options);
    default:
      return new StoreError(`${said} (status ${statusCode}).`, options);
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
