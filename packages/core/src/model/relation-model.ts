/** Relations are described beside the entities they join; see `entity-model.ts`. */
export type { Join, RelationContainer, RelationKind, RelationModel } from './entity-model.js';
