/** The repositories of a settled read: they read and do not write, and what they give belongs together. */
import type { DomainModel } from '../model/domain-model.js';
import type { WorkContext } from '../session/ports.js';
import { Repositories } from './repositories.js';

export class SettledReader extends Repositories {
  constructor(
    domain: DomainModel,
    private readonly work: WorkContext,
  ) {
    super(domain);
  }

  protected override context(): WorkContext {
    return this.work;
  }

  protected override settle<R>(read: (work: WorkContext) => Promise<R>): Promise<R> {
    return read(this.work);
  }
}
