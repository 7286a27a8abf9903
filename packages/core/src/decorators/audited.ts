/** `@Audited`: whose changes, and whose reads, are to be on record. */
import type { AnnotationDeclaration } from '../metadata/declarations.js';
import type { NamingDecorator } from './indexes.js';
import { classPlace } from './place.js';

/** Options of `@Audited`. Names of properties may lead into embedded objects: `'home.zip'`. */
export interface AuditedOptions<K extends string = string> {
  /** Each query of these entities becomes a record in `data_access_logs`, too. Default: false. */
  readonly reads?: boolean;
  /** Properties that appear as '[redacted]': that they changed is on record, and not what they are. */
  readonly redact?: readonly K[];
  /** The properties to record; a change of nothing else leaves no record. Default: all of them. */
  readonly only?: readonly K[];
}

/**
 * Records each change of these entities in `audit_logs`, in the same transaction: no change without its record, and no
 * record without its change. Names of properties that do not exist are reported by `open()`.
 *
 * ```ts
 * @Relational()
 * @Audited({ reads: true, redact: ['taxNumber'] })
 * class Patient { … }
 * ```
 */
export function Audited<const K extends string = never>(
  options: AuditedOptions<K> = {},
): NamingDecorator<K, '@Audited'> {
  const declare = (target: unknown, context?: unknown): void => {
    classPlace('Audited', target, context)?.annotations.push(auditedAnnotation('Audited', options));
  };
  return declare as never;
}

/** The declaration of an audited class, for both front ends. */
export function auditedAnnotation(by: string, options: AuditedOptions): AnnotationDeclaration {
  return { key: 'audited', by, value: options };
}
