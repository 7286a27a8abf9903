/** Everything compiled for one class, made on first use and kept as long as its model. */
import type { EntityModel } from '../model/entity-model.js';
import { type Complete, type Create, compileComplete, compileCreate } from './compile-creator.js';
import { compileDehydrate, compileDiff, type Dehydrate, type Diff } from './compile-dehydrator.js';
import { compileFill, compileMake, type Fill, type Make } from './compile-hydrator.js';
import { type IdentityKeys, identityKeys } from './identity-key.js';
import { shapeOf } from './shape.js';

export interface EntityCodec {
  readonly model: EntityModel;
  readonly create: Create;
  readonly complete: Complete;
  readonly make: Make;
  readonly fill: Fill;
  readonly dehydrate: Dehydrate;
  readonly diff: Diff;
  readonly keys: IdentityKeys;
}

const codecs = new WeakMap<EntityModel, EntityCodec>();

export function entityCodec(model: EntityModel): EntityCodec {
  let codec = codecs.get(model);
  if (codec === undefined) {
    const shape = shapeOf(model);
    codec = {
      model,
      create: compileCreate(model, shape),
      complete: compileComplete(model, shape),
      make: compileMake(model, shape),
      fill: compileFill(shape),
      dehydrate: compileDehydrate(model, shape),
      diff: compileDiff(model, shape),
      keys: identityKeys(model.ids),
    };
    codecs.set(model, codec);
  }
  return codec;
}
