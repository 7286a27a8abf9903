/** The moves of an open weave, for whoever runs them. */
import type { DomainModel } from '../../model/domain-model.js';
import type { EntityClass } from '../../model/entity-model.js';
import type { Store } from '../../store/store.js';
import type { DeclaredMoves } from './declared-moves.js';
import type { GateState } from './gate.js';
import { OnlineMove, type OnlineMoveOptions, type OnlineMoveReport } from './online-move.js';

/** Moves entities between stores while the application, in this process and others, reads and writes them. */
export class Moves {
  constructor(
    private readonly domain: DomainModel,
    private readonly stores: Readonly<Record<string, Store>>,
    private readonly declared: DeclaredMoves,
    private readonly check: () => void,
  ) {}

  /**
   * Copies the entity, catches up with what is written meanwhile, verifies, and switches every process over. A run that
   * was cut short, by whatever, is gone on with by the next one. Its report says `isMoved: false` where the target could
   * not keep some rows; the application then goes on with the old store.
   *
   * @throws ConfigurationError for an entity whose move is not declared, and for a target that has rows already;
   * InvalidStateError where another process is moving it; TimeoutError where writers were too quick or had to wait for
   * too long; the stores' own errors. After each of them the application goes on, and the move can be run again.
   */
  run(entity: EntityClass, options: OnlineMoveOptions = {}): Promise<OnlineMoveReport> {
    return this.#mover(entity, options).run();
  }

  /**
   * Gives a move up that is not over: the entity stays in its old store. What was copied stays in the new one.
   *
   * @throws InvalidStateError where it is over, or where another process is at it.
   */
  abort(entity: EntityClass, options: Pick<OnlineMoveOptions, 'leaseMs' | 'signal'> = {}): Promise<void> {
    return this.#mover(entity, options).abort();
  }

  /** `idle`: not begun; `copying`; `closed`: switching at this moment; `moved`. */
  state(entity: EntityClass): Promise<GateState> {
    this.check();
    return this.declared.routeOf(this.domain.of(entity)).gate.peek({});
  }

  #mover(target: EntityClass, options: OnlineMoveOptions): OnlineMove {
    this.check();
    const entity = this.domain.of(target);
    const route = this.declared.routeOf(entity);
    return new OnlineMove(route, this.stores[entity.store] ?? route.target, options);
  }
}
