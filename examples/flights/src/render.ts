/** Answers as tables and a chart for a terminal. Plain text; the worst week is coloured where colours are wanted. */
import { plot } from 'asciichart';
import Table from 'cli-table3';
import type { LoadReport } from './load.js';
import type { BusyWithGuide, DayOfDelay, Delays, Figures, Reach } from './questions.js';

export interface Screen {
  /** Columns of the terminal. */
  readonly width: number;
  readonly colours: boolean;
}

const RED = '\u001b[31m';
const PLAIN = '\u001b[0m';

function table(head: string[], rows: (string | number)[][], numbers: readonly number[], widths?: number[]): string {
  const out = new Table({
    head,
    colAligns: head.map((_, i) => (numbers.includes(i) ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
    wordWrap: true,
    ...(widths === undefined ? {} : { colWidths: widths }),
  });
  out.push(...rows);
  return out.toString();
}

/** What there is, and what this run had to do for it. */
export function loadLine(
  report: LoadReport,
  totals: Pick<Figures, 'airports' | 'flights' | 'routes' | 'points'>,
): string {
  const number = (value: number) => value.toLocaleString('en-US');
  const { airports, flights, routes, points } = totals;
  const there = `${number(airports)} airports, ${number(flights)} flights on ${number(routes)} routes, ${number(points)} points in time.`;
  if (report.loaded === 0) return `Found there: ${there}`;
  const rate = number(Math.round(report.loaded / report.seconds));
  const resumed = report.found === 0 ? '' : ` (${number(report.found)} were there from a run before)`;
  return `${there}\nLoaded ${number(report.loaded)} records${resumed} in ${report.seconds.toFixed(1)} s, ${rate} rows/s.`;
}

/** How many questions the stores were asked. */
export function queryLine(asked: ReadonlyMap<string, number>): string {
  const all = [...asked.values()].reduce((sum, one) => sum + one, 0);
  const each = [...asked].map(([store, times]) => `${store} ${times}`).join(', ');
  return `${all} ${all === 1 ? 'query' : 'queries'}: ${each}.`;
}

/** The busiest airports, one a line. */
export function busiestTable(airports: readonly BusyWithGuide[]): string {
  const rows = airports.map(({ iata, name, city, departures, meanDelay, busiestHours }) => [
    iata,
    name,
    city ?? '–',
    departures.toLocaleString('en-US'),
    meanDelay.toFixed(2),
    busiestHours.map((hour) => `${hour}:00`).join(' '),
  ]);
  return table(['', 'airport', 'city', 'departures', 'mean delay, min', 'busiest hours'], rows, [3, 4]);
}

/** Where two hops lead: the stops that lead farthest, each with the airports that it adds. */
export function reachTable(reach: Reach, { width }: Screen): string {
  const rows = reach.stops.map(({ iata, name, adds }) => [`${iata} ${name}`, adds.length, adds.join(' ')]);
  const room = Math.max(30, Math.min(width, 120) - 60);
  return table([`${reach.from} over`, 'adds', 'airports'], rows, [1], [46, 6, room]);
}

/** Mean delay of each day as a line, with the dates and the worst week marked under it. */
export function delayChart(delays: Delays, screen: Screen): string {
  const gutter = 8; // label and axis of asciichart
  const step = Math.max(1, Math.ceil(delays.days.length / Math.max(20, screen.width - gutter)));
  const points = everyNth(delays.days, step);
  const values = points.map(({ meanDelay }) => meanDelay);
  const lines = plot(values, { height: 14, offset: 2, format: (value: number) => value.toFixed(1).padStart(7) }).split(
    '\n',
  );

  const inWorst = points.map(({ day }) => day >= delays.worst.from && day < addDays(delays.worst.from, 7));
  const first = inWorst.indexOf(true);
  const last = inWorst.lastIndexOf(true);
  const marks = inWorst
    .map((worst) => (worst ? '▲' : ' '))
    .join('')
    .trimEnd();
  const paint = (text: string) => (screen.colours && text !== '' ? RED + text + PLAIN : text);
  const painted = lines.map((line) => {
    // The part of the line over the worst week; the column of a day is its position after the gutter.
    const from = gutter + first;
    const to = gutter + last + 1;
    return first < 0 ? line : line.slice(0, from) + paint(line.slice(from, to)) + line.slice(to);
  });
  const label = `worst week, from Monday ${delays.worst.from}: ${delays.worst.meanDelay.toFixed(2)} minutes`;
  return [
    ...painted,
    ' '.repeat(gutter) + months(points),
    ' '.repeat(gutter) + paint(marks),
    ' '.repeat(gutter) + paint(label),
    ...(step > 1 ? [`${' '.repeat(gutter)}(each column is the mean of ${step} days)`] : []),
  ].join('\n');
}

/** Names of the months under their first column. */
function months(points: readonly DayOfDelay[]): string {
  let line = '';
  let before = '';
  points.forEach(({ day }, i) => {
    const month = day.slice(0, 7);
    if (month !== before && i >= line.length) line = line.padEnd(i) + month;
    before = month;
  });
  return line;
}

function everyNth(days: readonly DayOfDelay[], step: number): DayOfDelay[] {
  const points: DayOfDelay[] = [];
  for (let i = 0; i < days.length; i += step) {
    const part = days.slice(i, i + step);
    const first = part[0];
    if (first === undefined) continue;
    points.push({ day: first.day, meanDelay: part.reduce((sum, { meanDelay }) => sum + meanDelay, 0) / part.length });
  }
  return points;
}

function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}
