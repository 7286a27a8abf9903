/**
 * The named places where a commit across stores can be struck, and what strikes it there. A place is a step, the moment
 * before or after it, the store that it is about, who takes it, and in which scene it is met.
 */
import type { CommitStep, StepEvent, StepListener } from '@storeweave/core';
import type { StoreName } from './model.js';

/** `kill`: SIGKILL. `fail`: the step throws, after it has had its effect or before. `hang`: it never comes to its end. */
export const FAULTS = ['kill', 'fail', 'hang'] as const;
export type Fault = (typeof FAULTS)[number];

/**
 * How a place is come to. `commit`: a unit of work over all stores. `refusal`: the same, refused right before its
 * decision. `met undecided`, `met decided`: its process settles what another one left behind. `relay undecided`, `relay
 * decided`: a relay does. `read undecided`, `read decided`: a settled read does.
 */
export type Scene = 'commit' | 'refusal' | `${'met' | 'relay' | 'read'} ${'undecided' | 'decided'}`;

export interface Failpoint {
  readonly scene: Scene;
  readonly step: CommitStep;
  readonly moment: 'before' | 'after';
  readonly store: StoreName;
}

/** A failpoint that is armed. `skip`: so often it is passed by. */
export interface Strike {
  readonly at: Pick<Failpoint, 'step' | 'moment'> & { readonly store?: StoreName; readonly by?: StepEvent['by'] };
  readonly fault: Fault;
  readonly skip?: number;
  /** Only at steps of units of work other than this one. */
  readonly met?: boolean;
}

const COORDINATOR: StoreName = 'relational';
const MOMENTS = ['before', 'after'] as const;

/** Every failpoint that there is over these stores. */
export function failpointsOver(stores: readonly StoreName[]): Failpoint[] {
  const fencing = stores.filter((store) => store === 'document' || store === 'graph');
  const preparing = stores.filter((store) => store === 'archive');
  const others = stores.filter((store) => store !== COORDINATOR);
  const undone = [...fencing, ...preparing];
  const at = (scene: Scene, step: CommitStep, names: readonly StoreName[]): Failpoint[] =>
    names.flatMap((store) => MOMENTS.map((moment) => ({ scene, step, moment, store })));
  const settles = (scene: Scene) => (scene.startsWith('met') ? at(scene, 'settle', [COORDINATOR]) : []);
  return [
    ...at('commit', 'claim', [COORDINATOR]),
    ...at('commit', 'fence', fencing),
    ...at('commit', 'prepare', preparing),
    ...at('commit', 'decide', [COORDINATOR]),
    ...at('commit', 'apply', others),
    ...at('commit', 'done', [COORDINATOR]),
    ...at('refusal', 'unfence', undone),
    ...settles('met undecided'),
    ...at('met undecided', 'unfence', undone),
    ...settles('met decided'),
    ...at('met decided', 'apply', others),
    ...at('relay undecided', 'settle', [COORDINATOR]),
    ...at('relay undecided', 'unfence', undone),
    ...at('relay decided', 'apply', others),
    ...at('relay decided', 'done', [COORDINATOR]),
    ...at('read undecided', 'settle', [COORDINATOR]),
    ...at('read undecided', 'unfence', undone),
    ...at('read decided', 'apply', others),
  ];
}

export function nameOf({ scene, step, moment, store }: Failpoint): string {
  return `${moment} ${step} of ${store} (${scene})`;
}

/** Strikes once for each strike that is armed. */
export class Striker {
  #armed: { strike: Strike; left: number }[] = [];

  /** `own` tells the units of work of this process; `reached` is told before anything happens. */
  constructor(
    private readonly isOwn: (unitOfWork: string) => boolean,
    private readonly reached: (strike: Strike, unitOfWork: string) => void,
  ) {}

  arm(strikes: readonly Strike[]): void {
    this.#armed = strikes.map((strike) => ({ strike, left: strike.skip ?? 0 }));
  }

  readonly listener: StepListener = (event) => {
    const found = this.#armed.find(({ strike }) => matches(strike, event, this.isOwn(event.unitOfWork)));
    if (found === undefined) return undefined;
    if (found.left > 0) {
      found.left--;
      return undefined;
    }
    this.#armed = this.#armed.filter((each) => each !== found);
    this.reached(found.strike, event.unitOfWork);
    return strike(found.strike.fault);
  };
}

function strike(fault: Fault): Promise<void> {
  if (fault === 'fail') throw new Error('A step failed, as the crash run told it to.');
  if (fault === 'kill') process.kill(process.pid, 'SIGKILL');
  return new Promise(() => {});
}

function matches({ at, met }: Strike, event: StepEvent, isOwn: boolean): boolean {
  if (event.step !== at.step || event.moment !== at.moment) return false;
  if (at.store !== undefined && event.store !== at.store) return false;
  if (at.by !== undefined && event.by !== at.by) return false;
  return met === undefined || met !== isOwn;
}
