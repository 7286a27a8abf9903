/** The example that the README opens with. `first-look.e2e.test.ts` runs it. */
import {
  type Collection,
  Document,
  Field,
  Id,
  Measurement,
  OneToOne,
  Property,
  type Ref,
  Related,
  Relational,
  Series,
  Storeweave,
  Tag,
  type TimeSeries,
  Timestamp,
} from '@storeweave/core';
import { embedded } from '@storeweave/embedded';

// #region entities
@Relational() // a row of a table
export class User {
  @Id() id!: string;
  @Property('string', { unique: true }) email!: string;
  @OneToOne(
    () => Profile,
    (profile) => profile.userId,
  )
  profile!: Ref<Profile>; // in the document store
  @Related(() => User, 'FRIENDS_WITH') friends!: Collection<User>; // in the graph store
  @Series(
    () => Login,
    (login) => login.userId,
  )
  logins!: TimeSeries<Login>; // in the time-series store
}

@Document()
export class Profile {
  @Id() id!: string;
  @Property('uuid') userId!: string;
  @Property('json') interests!: string[];
}

@Measurement()
export class Login {
  @Timestamp() at!: Date;
  @Tag('uuid') userId!: string;
  @Field('integer') milliseconds!: number;
}
// #endregion entities

export async function firstLook(path?: string): Promise<string[]> {
  // #region use
  const weave = await Storeweave.open({ entities: [User, Profile, Login], stores: embedded({ path }) });

  await weave.transaction(async (uow) => {
    const ada = uow.create(User, { email: 'ada@example.org' });
    const bob = uow.create(User, { email: 'bob@example.org' });
    ada.profile.set(uow.create(Profile, { userId: ada.id, interests: ['looms', 'numbers'] }));
    ada.friends.add(bob);
    ada.logins.add({ at: new Date(), milliseconds: 12 });
  }); // one commit into four models: all of it, or nothing

  const users = await weave.repository(User).find({
    where: { email: { like: 'a%' } },
    populate: ['profile', 'friends.profile'],
  }); // one query for each relation and store, however many users there are

  await weave.close();
  // #endregion use
  return users.flatMap((user) => [
    user.email,
    ...user.profile.value.interests,
    ...user.friends.items.map((f) => f.email),
  ]);
}
