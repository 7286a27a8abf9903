/** How the store is configured; apart from the factory, so that the parts it is made of can read it. */

export interface InfluxdbOptions {
  /** Base URL: `http://localhost:8086`. */
  readonly url: string;
  /** API token that may read and write the buckets, and make them if the schema is applied by the application. */
  readonly token: string;
  /** Name of the organisation. */
  readonly org: string;
  /** Before the name of every bucket, so that several applications can share an organisation. Default: none. */
  readonly bucketPrefix?: string;
  /** Requests under way at most; others wait, and whoever writes waits with them. Default: 10. */
  readonly connections?: number;
  /** How long the server may be silent within a request, in milliseconds. Default: 60,000. */
  readonly timeoutMs?: number;
  /** How often a request is sent again that the server put off (status 429 or 503). Default: 3. */
  readonly retries?: number;
  /** Largest body of one write request in bytes; a larger batch is sent in several, one after the other. Default: 8 MiB. */
  readonly batchBytes?: number;
  /** Compress requests and answers: worth it where the server is not near. Default: false. */
  readonly gzip?: boolean;
}
