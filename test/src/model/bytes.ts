/**
 * A state of a model is a short row of bytes: bytes make equal states equal strings, and millions of them fit. What stands
 * where is each model's own.
 */

export type State = Uint8Array<ArrayBuffer>;

export const get = (state: State, at: number): number => state[at] as number;
export const copy = (state: State): State => state.slice();
export const hasBit = (state: State, at: number, bit: number): boolean => (get(state, at) & (1 << bit)) !== 0;
export const setBit = (state: State, at: number, bit: number): void => {
  state[at] = get(state, at) | (1 << bit);
};
export const clearBit = (state: State, at: number, bit: number): void => {
  state[at] = get(state, at) & ~(1 << bit);
};

// By far the fastest way to a string, and a key is built at every step.
export const keyOf = (state: State): string => Buffer.from(state.buffer).toString('latin1');
