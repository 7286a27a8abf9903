export type { AccessLog, AccessLogStats, LostAccessRecords } from './audit/access-queue.js';
export type { Attribution, Origin } from './audit/attribution.js';
export type { StoreOutcome } from './commit/across/engine.js';
export type { RelayOptions } from './commit/across/relay.js';
export type { DrainReport } from './commit/across/report.js';
export { StepMetrics, type StepSummary } from './commit/across/step-metrics.js';
export { COMMIT_CHANNEL, type CommitStep, type StepEvent, type StepListener } from './commit/across/steps.js';
export { CommitPlan, type PlannedOperation } from './commit/commit-plan.js';
export type { Atomicity } from './commit/domain-transactions.js';
export { Audited, type AuditedOptions } from './decorators/audited.js';
export * from './decorators/builders.js';
export * from './decorators/define-entity.js';
export * from './decorators/embedded.js';
export * from './decorators/hooks.js';
export * from './decorators/indexes.js';
export {
  Field,
  type MeasureOptions,
  Tag,
  type TagOptions,
  type TagType,
  Timestamp,
  type TimestampOptions,
} from './decorators/measurement.js';
export * from './decorators/models.js';
export * from './decorators/moments.js';
export * from './decorators/property.js';
export * from './decorators/relations.js';
export * from './errors/errors.js';
export { type ErrorSubject, StoreweaveError } from './errors/storeweave-error.js';
export { compileDomain } from './metadata/compile.js';
export type * from './model/domain-model.js';
export type * from './model/entity-model.js';
export * from './model/field.js';
export { Collection, type LoadedCollection } from './relations/collection.js';
export { type LoadedRef, Ref } from './relations/ref.js';
export type { SeriesRange } from './relations/relation-loader.js';
export { type LoadedSeries, type SeriesPoint, TimeSeries } from './relations/time-series.js';
export {
  type Aggregated,
  type AggregatePath,
  Aggregation,
  type AggregationName,
  count,
  countDistinct,
  first,
  last,
  max,
  mean,
  min,
  percentile,
  sum,
  type ValueAt,
} from './repository/aggregation.js';
export { DocumentRepository, type Patch, type PatchPath } from './repository/document-repository.js';
export type { CalendarWindow, Every } from './repository/every.js';
export type { Edge } from './repository/graph-paths.js';
export {
  GraphRepository,
  type Traversal,
  type TraverseOptions,
  type Via,
  type WalkOptions,
} from './repository/graph-repository.js';
export type { Direction } from './repository/graph-steps.js';
export type { Grouped, GroupOptions, GroupSelect } from './repository/grouping-options.js';
export type { Page, PageInfo } from './repository/page.js';
export { RelationReader } from './repository/relation-reader.js';
export { RelationalRepository } from './repository/relational-repository.js';
export {
  type BulkOptions,
  type ByIdOptions,
  type NumericName,
  type PageOptions,
  Repository,
  type StreamOptions,
  type UpsertOptions,
} from './repository/repository.js';
export {
  type DownsampleOptions,
  type LastOptions,
  type Moment,
  type RangeOptions,
  SeriesRepository,
  type TimeRange,
  type WindowOf,
  type WindowOptions,
  type WindowSelect,
} from './repository/series-repository.js';
export { column, fragment, identifier, list, SqlPart, table } from './repository/sql.js';
export type { CommitContext, CommitHook, CommitStage, HookFailure } from './session/commit-hooks.js';
export type { CallOptions } from './session/ports.js';
export type { Receipt } from './session/receipt.js';
export type { TransactionRunOptions } from './session/run-transaction.js';
export type * from './store/adopted.js';
export type * from './store/capabilities.js';
export type * from './store/causality.js';
export type * from './store/commit.js';
export type * from './store/condition.js';
export type * from './store/documents.js';
export { fillGaps } from './store/fill-gaps.js';
export type * from './store/graph.js';
export type * from './store/inspection.js';
export { arrayPosition, operandValue, type Predicate, predicateOf, type RowReader } from './store/predicate.js';
export type * from './store/read.js';
export type * from './store/relational.js';
export type * from './store/schema.js';
export type * from './store/series.js';
export type * from './store/store.js';
export { rowKey, valueKey } from './store/value-key.js';
export { addValues, compareOperands, compareValues } from './store/value-order.js';
export { type WindowGrid, windowGrid } from './store/window-grid.js';
export { currentScope, runInScope, type WorkScope } from './store/work-scope.js';
export type * from './store/write.js';
export { adopted, type Defaults, identity, type ModelOf, model, optional } from './types/brands.js';
export type * from './types/find.js';
export type * from './types/input.js';
export type * from './types/properties.js';
export type * from './types/where.js';
export { AuditLog, DataAccessLog } from './weave/audit/logs.js';
export type { AuditOptions } from './weave/audit/start.js';
export { type DiagnoseOptions, diagnose, type StoreDiagnosis } from './weave/diagnosis.js';
export type { Journal, JournalChange, JournalEntry } from './weave/journal.js';
export type { Difference } from './weave/move/comparison.js';
export type { MoveDeclaration } from './weave/move/declared-moves.js';
export type { GateState } from './weave/move/gate.js';
export {
  type MovedEntity,
  type MoveOptions,
  type MovePosition,
  type MoveProgress,
  type MoveReport,
  moveEntity,
} from './weave/move/move.js';
export { Moves } from './weave/move/moves.js';
export type { OnlineMoveOptions, OnlineMoveReport } from './weave/move/online-move.js';
export { type PlannedChange, Schema, type SchemaApplyOptions, type SchemaMode, SchemaPlan } from './weave/schema.js';
export { Session } from './weave/session.js';
export { SettledReader } from './weave/settled-reader.js';
export { type CommitOptions, type OpenOptions, type SessionOptions, Storeweave } from './weave/storeweave.js';
export { UnitOfWork } from './weave/unit-of-work.js';
