/** What the server reports becomes the right class, and names entity and property. */
import { DiskFullError, StoreweaveError } from '@storeweave/core';
import { describe, expect, it } from 'vitest';
import { ErrorSubjects } from './error-subjects.js';
import { isConnectionLoss, mapError } from './errors.js';
import { sampleEntity } from './sample-model.fixture.js';

const User = sampleEntity('User', {
  fields: { id: { type: 'uuid', id: true }, mail: { type: 'string', column: 'email' }, 'home.zip': { type: 'string' } },
  indexes: (field) => [{ name: 'user_place', fields: [field('mail'), field('home.zip')], unique: true }],
});
const subjects = new ErrorSubjects();
subjects.add(User, 'relational', 'users');
subjects.constraint('users_boss_fkey', ['boss']);

const server = (code: string | undefined, more: object = {}) =>
  Object.assign(new Error('the words of the server'), { code }, more);

describe('errors', () => {
  it.each([
    ['23505', 'UNIQUE_VIOLATION'],
    ['23503', 'FOREIGN_KEY_VIOLATION'],
    ['23502', 'NOT_NULL_VIOLATION'],
    ['23514', 'CHECK_VIOLATION'],
    ['40001', 'SERIALIZATION_FAILURE'],
    ['40P01', 'DEADLOCK'],
    ['57014', 'TIMEOUT'],
    ['25P03', 'TIMEOUT'],
    ['55P03', 'TIMEOUT'],
    ['08006', 'CONNECTION_FAILED'],
    ['57P01', 'CONNECTION_FAILED'],
    ['57P03', 'CONNECTION_FAILED'],
    ['53300', 'CONNECTION_FAILED'],
    ['28P01', 'CONNECTION_FAILED'],
    ['ECONNREFUSED', 'CONNECTION_FAILED'],
    ['25006', 'READ_ONLY'],
    ['53100', 'DISK_FULL'],
    ['25P02', 'STATE_INVALID'],
    ['42P01', 'SCHEMA_MISMATCH'],
    ['42601', 'QUERY_INVALID'],
    ['22025', 'QUERY_INVALID'],
    ['22001', 'VALUE_INVALID'],
    ['42501', 'STORE_FAILED'],
    ['XX000', 'STORE_FAILED'],
  ])('%s is %s', (code, expected) => {
    const cause = server(code);
    const mapped = mapError(cause, subjects);
    expect(mapped.code).toBe(expected);
    expect(mapped.cause).toBe(cause);
  });

  it('knows a lost connection and a full disk without a code', () => {
    expect(mapError(new Error('Connection terminated unexpectedly'), subjects).code).toBe('CONNECTION_FAILED');
    expect(isConnectionLoss(new Error('Client has encountered a connection error and is not queryable'))).toBe(true);
    expect(isConnectionLoss(server('57014'))).toBe(false);
    expect(isConnectionLoss(server('25P03'))).toBe(true);
    const full = server('XX001', { message: 'could not extend file "base/1": No space left on device' });
    expect(mapError(full, subjects)).toBeInstanceOf(DiskFullError);
  });

  it('names what the columns and constraints stand for', () => {
    const unique = mapError(
      server('23505', { table: 'users', constraint: 'users_email_key', detail: 'Key (email)=(a@b) already exists.' }),
      subjects,
    );
    expect(unique).toMatchObject({
      entity: 'User',
      property: 'mail',
      store: 'relational',
      constraint: 'users_email_key',
    });
    expect(unique.message).toBe(
      'User.mail = (a@b) is taken (constraint "users_email_key"). Use another value, or upsert().',
    );
    const composite = mapError(
      server('23505', {
        table: 'users',
        constraint: 'user_place',
        detail: 'Schlüssel (email, home_zip)=(a, b) existiert.',
      }),
      subjects,
    );
    expect(composite.message).toMatch(/^User \(mail, home\.zip\) = \(a, b\) is taken/);
    expect(mapError(server('23502', { table: 'users', column: 'email' }), subjects)).toMatchObject({
      property: 'mail',
    });
    const key = mapError(
      server('23503', { table: 'users', constraint: 'users_boss_fkey', detail: 'Key (boss_id)=(1) is not present.' }),
      subjects,
    );
    expect(key).toMatchObject({ entity: 'User', property: 'boss' });
    const check = mapError(server('23514', { table: 'users', constraint: 'users_email_check' }), subjects);
    expect(check).toMatchObject({ entity: 'User', property: 'mail', constraint: 'users_email_check' });
    const other = mapError(server('23514', { table: 'users', constraint: 'sane' }), subjects);
    expect(other).toMatchObject({ entity: 'User', property: undefined, constraint: 'sane' });
    expect(mapError(server('22001'), subjects, User)).toMatchObject({ entity: 'User' });
    expect(mapError(server('23505', { table: 'other' }), subjects).message).toMatch(/^Table "other" is taken/);
  });

  it('leaves our own errors as they are', () => {
    const own = mapError(server('40001'), subjects);
    expect(mapError(own, subjects)).toBe(own);
    expect(own).toBeInstanceOf(StoreweaveError);
    expect(own.isRetryable).toBe(true);
  });
});
