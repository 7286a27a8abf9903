/**
 * What is wrong with the data, told so that a person can find the place: the file, the line or row, the value. The job
 * ends with this message and without a stack, for the program is not what needs mending.
 */
export class DataError extends Error {
  constructor(file: string, place: string | undefined, problem: string, options?: { cause?: unknown }) {
    super(`${file}${place === undefined ? '' : `, ${place}`}: ${problem}`, options);
    this.name = 'DataError';
  }
}
