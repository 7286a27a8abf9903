/** One commit into four models, for the tests of this package. */
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
  type Storeweave,
  Tag,
  type TimeSeries,
  Timestamp,
} from '@storeweave/core';

@Relational({ table: 'members' })
export class Member {
  @Id() id!: string;
  @Property('integer', { unique: true }) number!: number;
  @OneToOne(
    () => Card,
    (card) => card.memberId,
  )
  card!: Ref<Card>;
  @Related(() => Member, 'SPONSORED') sponsored!: Collection<Member>;
  @Series(
    () => Visit,
    (visit) => visit.memberId,
  )
  visits!: TimeSeries<Visit>;
}

@Document()
export class Card {
  @Id() id!: string;
  @Property('uuid') memberId!: string;
  @Property('json') colours!: string[];
}

@Measurement()
export class Visit {
  @Timestamp() at!: Date;
  @Tag('uuid') memberId!: string;
  @Field('integer') minutes!: number;
}

export const entities = [Member, Card, Visit];

/** In one transaction: two members, one of them with a card, a visit and the sponsor of the other. */
export function enroll(weave: Storeweave, number: number, before?: () => void): Promise<string> {
  return weave.transaction({ label: `enroll ${number}` }, async (uow) => {
    const member = uow.create(Member, { number: 2 * number });
    const other = uow.create(Member, { number: 2 * number + 1 });
    member.card.set(uow.create(Card, { memberId: member.id, colours: ['red', 'blue'] }));
    member.sponsored.add(other);
    member.visits.add({ at: new Date(Date.UTC(2001, 0, 1) + number * 1000), minutes: number });
    await uow.flush();
    before?.();
    return member.id;
  });
}

/** How much of each model is there. */
export async function census(weave: Storeweave) {
  const [members, cards, visits, sponsors] = await Promise.all([
    weave.repository(Member).find({ orderBy: { number: 'asc' }, populate: ['card', 'sponsored'] }),
    weave.repository(Card).count(),
    weave.repository(Visit).count(),
    weave.repository(Member).count(),
  ]);
  const edges = members.reduce((sum, member) => sum + member.sponsored.length, 0);
  return { members: sponsors, cards, visits, edges };
}
