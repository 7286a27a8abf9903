import { describe, expect, it } from 'vitest';
import { plural, shorten, snakeCase, upperSnakeCase } from './naming.js';

describe('names', () => {
  it.each([
    ['homeAddress', 'home_address'],
    ['userID', 'user_id'],
    ['HTTPServer', 'http_server'],
    ['line2Text', 'line2_text'],
    ['home.zip', 'home_zip'],
    ['already_snake', 'already_snake'],
  ])('%s becomes %s', (name, snake) => expect(snakeCase(name)).toBe(snake));

  it('makes relationship types', () => expect(upperSnakeCase('FriendsWith')).toBe('FRIENDS_WITH'));

  it.each([
    ['user', 'users'],
    ['category', 'categories'],
    ['day', 'days'],
    ['address', 'addresses'],
    ['box', 'boxes'],
    ['branch', 'branches'],
  ])('the plural of %s is %s', (one, many) => expect(plural(one)).toBe(many));

  it('cuts long names to 63 bytes, differently for different names and always the same', () => {
    const long = 'a_very_long_property_name_'.repeat(4);
    expect(shorten(`${long}x`)).toHaveLength(63);
    expect(shorten(`${long}x`)).not.toBe(shorten(`${long}y`));
    expect(shorten(`${long}x`)).toBe(shorten(`${long}x`));
    expect(shorten(`${long}x`)).toBe('a_very_long_property_name_a_very_long_property_name_a__78d958b9');
    expect(shorten('x'.repeat(63))).toBe('x'.repeat(63));
    expect(Buffer.byteLength(shorten('ä'.repeat(60)))).toBeLessThanOrEqual(63);
  });
});
