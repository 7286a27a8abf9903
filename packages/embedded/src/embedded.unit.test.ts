import { ConfigurationError } from '@storeweave/core';
import { describe, expect, it } from 'vitest';
import { type EmbeddedOptions, embedded } from './embedded.js';

describe('embedded', () => {
  it('gives a store for each model, all in one transaction domain', () => {
    const stores = embedded();
    expect(Object.keys(stores)).toEqual(['relational', 'document', 'graph', 'timeseries']);
    expect(new Set(Object.values(stores).map((store) => store.domain)).size).toBe(1);
    expect(Object.entries(stores).every(([name, store]) => store.capabilities.models.includes(name as 'graph'))).toBe(
      true,
    );
  });

  const mistakes: [EmbeddedOptions, RegExp][] = [
    [{ path: './data', url: 'postgres://localhost/db' }, /path.*url.*one of them/],
    [{ path: '' }, /empty path/],
    [{ url: './data' }, /postgres:\/\/.*use path/],
    [{ url: 'postgres://localhost/db', fsync: false }, /own settings/],
    [{ poolSize: 5 }, /one session/],
  ];
  it.each(mistakes)('refuses %j', (options, message) => {
    expect(() => embedded(options)).toThrow(ConfigurationError);
    expect(() => embedded(options)).toThrow(message);
  });
});
