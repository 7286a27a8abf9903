/**
 * The decorators called as TypeScript's `experimentalDecorators` and NestJS call them: this folder has a tsconfig of
 * its own that says so. What they write down must be what the standard ones write down.
 */
import { expect, it } from 'vitest';
import {
  BeforeUpdate,
  type Collection,
  CreatedAt,
  compileDomain,
  type Defaults,
  Embedded,
  Id,
  Index,
  ManyToOne,
  model,
  OneToMany,
  optional,
  Property,
  type Ref,
  Relational,
  Version,
} from '../../index.js';

class Address {
  @Property('string') zip!: string;
}

abstract class Base {
  @Id() id!: string;
  @Version() version!: number;
  @CreatedAt() createdAt!: Date;
  @BeforeUpdate() touch(): void {}
}

@Relational()
@Index(['email', 'home.zip'])
class User extends Base {
  declare readonly [model]: 'relational';
  declare readonly [optional]: Defaults<'role'>;
  @Property('string', { unique: true }) email!: string;
  @Property('enum', { values: ['user', 'admin'], default: 'user' }) role!: 'user' | 'admin';
  @Property('integer', { nullable: true }) age!: number | null;
  @Property('string', { default: 'x' }) private secret!: string;
  @Embedded(() => Address) home!: Address;
  @OneToMany(
    () => Post,
    (p) => p.author,
  )
  posts!: Collection<Post>;
  reveal(): string {
    return this.secret;
  }
}

@Relational()
class Post extends Base {
  @ManyToOne(() => User) author!: Ref<User>;
}

it('is compiled in legacy mode', () => {
  const calls: unknown[][] = [];
  const spy = (...args: unknown[]) => void calls.push(args);
  class Probe {
    @spy name!: string;
  }
  expect(calls[0]?.slice(0, 2)).toEqual([Probe.prototype, 'name']);
});

it('compiles to the same model', () => {
  const domain = compileDomain([User, Post]);
  const user = domain.of(User);
  expect(user.fields.map((field) => `${field.name}=${field.column}:${field.type}`)).toEqual([
    'id=id:uuid',
    'version=version:integer',
    'createdAt=created_at:timestamp',
    'email=email:string',
    'role=role:enum',
    'age=age:integer',
    'secret=secret:string',
    'home.zip=home_zip:string',
  ]);
  expect(user.hooks.get('beforeUpdate')).toEqual(['touch']);
  expect(user.indexes.map((index) => index.name)).toEqual(['users_email_home_zip_idx', 'users_email_key']);
  expect(user.relationsByName.get('posts')?.inverse?.owner).toBe(domain.of(Post));
});

it('keeps the declarations of a class and its base class apart', () => {
  @Relational()
  class Other extends Base {
    @Property('string') only!: string;
  }
  const names = (domain: ReturnType<typeof compileDomain>, c: typeof Other | typeof Post) =>
    domain.of(c).fields.map((f) => f.name);
  const domain = compileDomain([User, Post, Other]);
  expect(names(domain, Other)).toEqual(['id', 'version', 'createdAt', 'only']);
  expect(names(domain, Post)).toEqual(['id', 'version', 'createdAt', 'author']);
});
