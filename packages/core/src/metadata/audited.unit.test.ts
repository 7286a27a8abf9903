import { describe, expect, it } from 'vitest';
import {
  Audited,
  type Collection,
  compileDomain,
  defineEntity,
  Embedded,
  Id,
  ManyToMany,
  ManyToOne,
  MetadataError,
  Property,
  p,
  type Ref,
  Relational,
} from '../index.js';
import { mistakes, User } from './mistakes.fixture.js';

class Address {
  @Property('string') city!: string;
  @Property('string') zip!: string;
}

@Relational()
@Audited({ reads: true, redact: ['home', 'doctor'], only: ['name', 'home', 'doctor', 'friends'] })
class Patient {
  @Id() id!: string;
  @Property('string') name!: string;
  @Embedded(() => Address) home!: Address;
  @ManyToOne(() => User) doctor!: Ref<User>;
  @ManyToMany(() => User) friends!: Collection<User>;
}

const loose = Audited as unknown as (options: unknown) => (target: unknown) => void;
/** Mistakes of a class that is audited with these options. */
function wrong(options: unknown): string[] {
  class Wrong {}
  Relational()(Wrong);
  loose(options)(Wrong);
  (Id() as unknown as (target: object, name: string) => void)(Wrong.prototype, 'id');
  (Property('string') as unknown as (target: object, name: string) => void)(Wrong.prototype, 'name');
  (ManyToMany(() => User) as unknown as (target: object, name: string) => void)(Wrong.prototype, 'friends');
  return mistakes(Wrong, User);
}

describe('@Audited', () => {
  it('takes properties, embedded objects, references and links', () => {
    const domain = compileDomain([Patient, User]);
    expect(domain.of(Patient).annotations.get('audited')).toEqual({
      reads: true,
      redact: ['home', 'doctor'],
      only: ['name', 'home', 'doctor', 'friends'],
    });
    expect(domain.of(User).annotations.has('audited')).toBe(false);
  });

  it('is an option of defineEntity, too', () => {
    class Defined extends defineEntity({
      name: 'Defined',
      model: 'relational',
      props: { id: p.id(), name: p.string(), secret: p.string() },
      audited: { redact: ['secret'] },
    }) {}
    class Plain extends defineEntity({ name: 'Plain', model: 'relational', props: { id: p.id() }, audited: true }) {}
    const domain = compileDomain([Defined, Plain]);
    expect(domain.of(Defined).annotations.get('audited')).toEqual({ redact: ['secret'] });
    expect(domain.of(Plain).annotations.get('audited')).toEqual({});
  });

  it('reports names that are no properties, with all other mistakes', () => {
    expect(wrong({ redact: ['nmae'], only: ['name', 'zzzz'] })).toEqual([
      "Wrong: @Audited: redact names 'nmae', which is no property of Wrong that is stored. Did you mean 'name'?",
      "Wrong: @Audited: only names 'zzzz', which is no property of Wrong that is stored. It has id, name.",
    ]);
    const defined = () =>
      compileDomain([
        defineEntity({ name: 'D', model: 'relational', props: { id: p.id() }, audited: { only: ['x' as 'id'] } }),
      ]);
    expect(defined).toThrow(MetadataError);
  });

  it('reports rules that contradict each other', () => {
    expect(wrong({ redact: ['id'] })).toEqual([
      "Wrong: @Audited: redact names 'id', which identifies the Wrong: every record says it. Take it out of redact.",
    ]);
    expect(wrong({ redact: ['name'], only: ['id'] })).toEqual([
      "Wrong: @Audited: redact names 'name', which is not recorded at all: only leaves it out. Take it out of redact.",
    ]);
    expect(wrong({ only: [] })).toEqual([
      'Wrong: @Audited: only names nothing. Leave it out to record every property.',
    ]);
    expect(wrong({ redact: ['friends'] })).toHaveLength(1);
    expect(wrong({ only: ['friends'] })).toEqual([]);
  });

  it('reports options of the wrong kind', () => {
    expect(wrong({ reads: 'yes', redact: 'name', onyl: ['name'] })).toEqual([
      "Wrong: @Audited: there is no option 'onyl'. Known are reads, redact, only.",
      'Wrong: @Audited: reads is "yes". It is true or false.',
      'Wrong: @Audited: redact is "name". Give a list of properties.',
    ]);
    expect(wrong('all')).toEqual(['Wrong: @Audited: its options are "all". Give an object: { reads, redact, only }.']);
  });
});

// The type of the decorator knows the properties of the class.
@Relational()
// @ts-expect-error: 'nmae' is no property of the class
@Audited({ redact: ['nmae'] })
class Misspelt {
  @Id() id!: string;
}
void Misspelt;
