import { memoryStore } from '@storeweave/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  AfterDelete,
  AfterInsert,
  AfterLoad,
  AfterUpdate,
  BeforeDelete,
  BeforeInsert,
  BeforeUpdate,
} from '../decorators/hooks.js';
import { Relational } from '../decorators/models.js';
import { Version } from '../decorators/moments.js';
import { Id, Property } from '../decorators/property.js';
import { InvalidStateError } from '../errors/errors.js';
import { Storeweave } from './storeweave.js';

let weave: Storeweave;
const log: string[] = [];

@Relational()
class Order {
  @Id() id!: string;
  @Property('string') state!: string;
  @Property('integer', { nullable: true }) total!: number | null;
  @Version() version!: number;

  @BeforeInsert() async first(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 1));
    log.push('first beforeInsert');
    this.total ??= 0;
  }

  @BeforeInsert() second(): void {
    log.push('second beforeInsert');
    weave.current()?.create(Entry, { text: `new ${this.state}` });
  }

  @AfterInsert() inserted(): void {
    log.push(`afterInsert ${this.version}`);
  }

  @BeforeUpdate() async changing(): Promise<void> {
    log.push('beforeUpdate');
    await weave.repository(Entry).find();
    this.total = (this.total ?? 0) + 1;
  }

  @AfterUpdate() changed(): void {
    log.push(`afterUpdate ${this.version}`);
    if (this.state === 'paid') weave.current()?.create(Entry, { text: 'paid' });
  }

  @BeforeDelete() removing(): void {
    log.push('beforeDelete');
  }

  @AfterDelete() removed(): void {
    log.push('afterDelete');
    if (this.state === 'poison') throw new Error('the hook refuses');
  }

  @AfterLoad() loaded(): void {
    log.push('afterLoad');
  }
}

@Relational()
class Entry {
  @Id() id!: string;
  @Property('string') text!: string;
}

@Relational()
class Sleepy {
  @Id() id!: string;
  @AfterLoad() async loaded(): Promise<void> {}
}

@Relational()
class Restless {
  @Id() id!: string;
  @Property('integer') count!: number;
  @AfterInsert() @AfterUpdate() again(): void {
    this.count++;
  }
}

beforeEach(async () => {
  weave = await Storeweave.open({ entities: [Order, Entry, Sleepy, Restless], stores: { relational: memoryStore() } });
  log.length = 0;
});
afterEach(() => weave.close());

const entries = async () => (await weave.repository(Entry).find()).map(({ text }) => text).toSorted();

describe('life-cycle hooks', () => {
  it('run in order, waited for, and may create more', async () => {
    const order = await weave.transaction(async (uow) => uow.create(Order, { state: 'open' } as never));
    expect(log).toEqual(['first beforeInsert', 'second beforeInsert', 'afterInsert 1']);
    expect(order.total).toBe(0);
    expect(await entries()).toEqual(['new open']);
  });

  it('before an update, what they change is part of it; what comes after is written, too', async () => {
    await weave.transaction(async (uow) => uow.create(Order, { state: 'open' } as never));
    log.length = 0;
    await weave.transaction(async (uow) => {
      const order = await uow.repository(Order).findOneOrFail();
      order.state = 'paid';
    });
    expect(log).toEqual(['afterLoad', 'beforeUpdate', 'afterUpdate 2']);
    expect(await weave.repository(Order).findOneOrFail()).toMatchObject({ state: 'paid', total: 1, version: 2 });
    expect(await entries()).toEqual(['new open', 'paid']);
  });

  it('run around a removal, and one that throws undoes it', async () => {
    const order = await weave.transaction(async (uow) => uow.create(Order, { state: 'poison' } as never));
    log.length = 0;
    const attempt = weave.transaction(async (uow) => {
      uow.add(order);
      uow.remove(order);
    });
    await expect(attempt).rejects.toThrow('the hook refuses');
    expect(log).toEqual(['beforeDelete', 'afterDelete']);
    expect(await weave.repository(Order).count()).toBe(1);
    order.state = 'open';
    await weave.transaction(async (uow) => uow.remove(order));
    expect(await weave.repository(Order).count()).toBe(0);
  });

  it('do not run for what does not change', async () => {
    await weave.transaction(async (uow) => uow.create(Order, { state: 'open' } as never));
    log.length = 0;
    await weave.transaction(async (uow) => {
      await uow.repository(Order).find();
    });
    expect(log).toEqual(['afterLoad']);
  });

  it('after a load cannot be asynchronous', async () => {
    await weave.transaction(async (uow) => uow.create(Sleepy, {}));
    await expect(weave.repository(Sleepy).find()).rejects.toThrow(InvalidStateError);
  });

  it('that never come to rest are an error', async () => {
    const attempt = weave.transaction(async (uow) => uow.create(Restless, { count: 0 }));
    await expect(attempt).rejects.toThrow(/there is still something to write/);
  });
});
