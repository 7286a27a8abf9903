/**
 * Patterns of `like` as regular expressions. Every character that means something to PCRE is escaped, so that a value of
 * the application is only ever compared; a pattern that begins with plain text is anchored, so that an index can serve it.
 */
import { InvalidValueError } from '@storeweave/core';
import { textProblem } from './json-values.js';

/** `%` any characters, `_` one character, backslash escapes. */
export function likePattern(pattern: string): string {
  checkText(pattern);
  let source = '^';
  for (let i = 0; i < pattern.length; i++) {
    const at = pattern.charAt(i);
    if (at === '\\' && i + 1 < pattern.length) source += literal(pattern.charAt(++i));
    else if (at === '%') source += '.*';
    else if (at === '_') source += '.';
    else source += literal(at);
  }
  // \z and not $, which would also match before a line break at the end.
  return source.endsWith('.*') ? source.slice(0, -2) : `${source}\\z`;
}

/** A piece of text, as it is. */
export function substringPattern(text: string): string {
  checkText(text);
  return [...text].map(literal).join('');
}

function literal(character: string): string {
  if (character === '\0') return '\\x00';
  return /[\^$\\.*+?()[\]{}|/\-#\s]/.test(character) && character < '\x80' ? escaped(character) : character;
}

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  return code <= 0x20 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\${character}`;
}

function checkText(text: string): void {
  const problem = textProblem(text);
  if (problem !== undefined) {
    throw new InvalidValueError(`The pattern ${JSON.stringify(text)} cannot be asked of MongoDB: ${problem}.`);
  }
}
