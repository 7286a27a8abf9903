/**
 * The application of the online move: profiles that are moved from documents in PostgreSQL to MongoDB, and users that stay.
 * Every process opens it in the same way; where the servers are is told by the environment.
 */
import {
  type Defaults,
  Document,
  Id,
  Index,
  ManyToOne,
  type OpenOptions,
  optional,
  Property,
  type Ref,
  Relational,
  Version,
} from '@storeweave/core';
import { embedded } from '@storeweave/embedded';
import { mongodb } from '@storeweave/mongodb';

@Relational({ table: 'users' })
export class User {
  @Id() id!: string;
  @Property('string') name!: string;
}

@Document({ collection: 'profiles' })
@Index(['owner', 'team'])
export class Profile {
  declare readonly [optional]: Defaults<'visits' | 'version'>;
  @Id() id!: string;
  @Property('string', { unique: true }) name!: string;
  @Property('string') owner!: string;
  @Property('integer') team!: number;
  @Property('integer', { default: 0 }) visits!: number;
  @Property('string', { array: true }) tags!: string[];
  @ManyToOne(() => User, { nullable: true }) user!: Ref<User>;
  @Version() version!: number;
}

export function application(): OpenOptions {
  const { MOVE_POSTGRES = '', MOVE_MONGODB = '' } = process.env;
  // #region options
  const old = embedded({ url: MOVE_POSTGRES });
  const options: OpenOptions = {
    entities: [User, Profile],
    stores: { relational: old.relational, old: old.document, document: mongodb({ url: MOVE_MONGODB }) },
    atomicity: 'best-effort',
    moving: [{ entity: Profile, from: 'old' }],
  };
  // #endregion options
  return options;
}
