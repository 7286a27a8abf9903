/** Errors that no test server can be made to throw; the others are met by the contract suite. */
import {
  CheckViolationError,
  ConnectionError,
  DiskFullError,
  type EntityModel,
  InvalidStateError,
  InvalidValueError,
  NotNullViolationError,
  SerializationError,
  StoreBusyError,
  StoreError,
  TimeoutError,
  UniqueViolationError,
} from '@storeweave/core';
import { MongoNetworkError, MongoServerError, MongoTopologyClosedError } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { mapError } from './errors.js';

const entity = {
  name: 'User',
  store: 'document',
  ids: [{ name: 'id' }],
  indexes: [{ name: 'users_email_key', fields: [{ name: 'email' }] }],
} as unknown as EntityModel;

const server = (code: number, message = 'told so', more: object = {}) =>
  new MongoServerError({ code, errmsg: message, message, ...more });

describe('mapError', () => {
  it.each([
    [112, SerializationError],
    [251, SerializationError],
    [50, TimeoutError],
    [10107, ConnectionError],
    [11600, ConnectionError],
    [91, ConnectionError],
    [14031, DiskFullError],
    [10334, InvalidValueError],
    [66, InvalidStateError],
    [18, ConnectionError],
    [4711, StoreError],
  ])('code %d is %o', (code, type) => {
    const error = server(code);
    const mapped = mapError(error, entity);
    expect(mapped).toBeInstanceOf(type);
    expect(mapped.cause).toBe(error);
    expect(mapped.message).toContain('told so');
  });

  it('names entity and property of a value that is taken', () => {
    const message = 'E11000 duplicate key error collection: shop.users index: users_email_key dup key: { email: "a" }';
    const mapped = mapError(server(11000, message), entity);
    expect(mapped).toBeInstanceOf(UniqueViolationError);
    expect(mapped).toMatchObject({ entity: 'User', property: 'email', constraint: 'users_email_key' });
    const id = mapError(
      server(11000, 'E11000 duplicate key error collection: a.b index: _id_ dup key: { _id: 1 }'),
      entity,
    );
    expect(id).toMatchObject({ property: 'id', constraint: '_id_' });
  });

  it('names the properties that a validator did not like', () => {
    const rules = (...schemaRulesNotSatisfied: object[]) => ({ errInfo: { details: { schemaRulesNotSatisfied } } });
    const wrong = rules({ operatorName: 'properties', propertiesNotSatisfied: [{ propertyName: 'age' }] });
    expect(mapError(server(121, 'Document failed validation', wrong), entity)).toMatchObject({ property: 'age' });
    expect(mapError(server(121), entity)).toBeInstanceOf(CheckViolationError);
    const missing = rules({ operatorName: 'required', missingProperties: ['email'] });
    expect(mapError(server(121, 'no', missing), entity)).toBeInstanceOf(NotNullViolationError);
  });

  it('takes a transaction that the server gave up for one to run again', () => {
    const given = server(4711);
    given.addErrorLabel('TransientTransactionError');
    expect(mapError(given)).toBeInstanceOf(SerializationError);
    const lost = new MongoNetworkError('connection 1 closed');
    lost.addErrorLabel('TransientTransactionError');
    expect(mapError(lost)).toBeInstanceOf(ConnectionError);
    expect(mapError(lost).isRetryable).toBe(true);
  });

  it('knows a broken socket for what it is', () => {
    const broken = Object.assign(new Error('This socket has been ended by the other party'), { code: 'EPIPE' });
    expect(mapError(broken)).toBeInstanceOf(ConnectionError);
  });

  it('tells a full pool and a closed store apart from a lost server', () => {
    const busy = Object.assign(new Error('Timed out while checking out a connection'), {
      name: 'MongoWaitQueueTimeoutError',
    });
    expect(mapError(busy)).toBeInstanceOf(StoreBusyError);
    expect(mapError(new MongoTopologyClosedError('Topology is closed'))).toBeInstanceOf(InvalidStateError);
  });
});
