import { expect, it } from 'vitest';
import { selectedPath } from './selector.js';

type Post = { author: { name: string }; home: { zip: string }; run(): void };

it('reads the properties that a selector walks through', () => {
  expect(selectedPath((post: Post) => post.author)).toEqual(['author']);
  expect(selectedPath((post: Post) => post.home.zip)).toEqual(['home', 'zip']);
});

it('gives nothing for a function that does anything else', () => {
  expect(selectedPath((post: Post) => post)).toBeUndefined();
  expect(selectedPath(() => 'author')).toBeUndefined();
  expect(selectedPath((post: Post) => post.run())).toBeUndefined();
  expect(selectedPath((post: Post) => `${post.author.name}!`)).toBeUndefined();
});
