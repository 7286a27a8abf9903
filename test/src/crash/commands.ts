/** What the run asks of a worker, and what it is told; over the channel between the processes. */
import type { Strike } from './failpoints.js';
import type { Rooms } from './rooms.js';
import type { Snapshot } from './story.js';

export type Command =
  | { readonly do: 'open'; readonly rooms: Rooms; readonly story: string; readonly relay: boolean }
  /** Makes what has to be there before the first unit of work. */
  | { readonly do: 'prepare' }
  | { readonly do: 'drain' }
  /** One settled read of everything. */
  | { readonly do: 'read'; readonly round: number }
  | { readonly do: 'arm'; readonly strikes: readonly Strike[] }
  | WorkCommand
  /** Leaves a unit of work behind as if its process had died right before or after its decision. */
  | { readonly do: 'abandon'; readonly round: number; readonly seed: number; readonly isDecided: boolean }
  | { readonly do: 'close' };

export interface WorkCommand {
  readonly do: 'work';
  readonly round: number;
  /** Tells the workers of a round apart. */
  readonly worker: string;
  readonly seed: number;
  readonly units: number;
  /** Done at the same time. */
  readonly streams: number;
  /** The first ones are over all stores and on the same slots. */
  readonly full: number;
  /** The first is begun before all others, which wait until it is over or struck: nothing keeps it from its commit. */
  readonly isFirstAlone: boolean;
  /** The full ones are to come upon what another has left behind. */
  readonly meets: boolean;
  /** Settled reads of everything are made meanwhile. */
  readonly reads: boolean;
}

export type Answer =
  | { readonly answers: number; readonly snapshot?: Snapshot }
  | { readonly answers: number; readonly error: string }
  | { readonly reached: Strike };
