/** The entities of the benchmark of stores: one for each engine, and a user whose relations lead into all of them. */
import {
  type Collection,
  Document,
  Field,
  Id,
  Measurement,
  Node,
  OneToOne,
  Property,
  type Ref,
  Related,
  Relational,
  Series,
  Tag,
  type TimeSeries,
  Timestamp,
  Version,
} from '@storeweave/core';

@Relational({ table: 'users' })
export class User {
  @Id() id!: string;
  @Property('string') name!: string;
  @Property('string') email!: string;
  @OneToOne(
    () => Profile,
    (profile) => profile.userId,
  )
  profile!: Ref<Profile>;
  @Related(() => User, 'KNOWS') friends!: Collection<User>;
  @Series(
    () => Login,
    (login) => login.userId,
  )
  logins!: TimeSeries<Login>;
}

@Document({ collection: 'profiles' })
export class Profile {
  @Id() id!: string;
  @Property('uuid', { unique: true }) userId!: string;
  @Property('string') bio!: string;
  @Property('integer') visits!: number;
  @Property('float') score!: number;
  @Property('timestamp') since!: Date;
  @Property('string', { array: true }) languages!: string[];
  @Property('json') address!: { city: string; lines: string[] };
  @Version() version!: number;
}

@Node({ label: 'Place' })
export class Place {
  @Id() id!: string;
  @Property('string') name!: string;
  @Property('integer') rank!: number;
  @Property('float') score!: number;
  @Property('boolean') open!: boolean;
  @Property('timestamp') since!: Date;
  @Version() version!: number;
}

@Measurement({ name: 'logins' })
export class Login {
  @Timestamp() at!: Date;
  @Tag('uuid') userId!: string;
  @Field('float') seconds!: number;
  @Field('integer') pages!: number;
}

export const entities = [User, Profile, Place, Login];
