/**
 * A unit of work changed rows by a filter in one database, and then others in another: the first change was never seen
 * row by row, so a commit over both cannot have it. It is run again, this time with such changes made by row.
 */
export class RowsNeeded extends Error {
  constructor() {
    super('A change by filter has to be made by row.');
  }
}
