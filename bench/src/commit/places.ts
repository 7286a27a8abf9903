/** Where the four engines are, directly or through proxies that make the way long. */
import type { Store } from '@storeweave/core';
import { influxdb } from '@storeweave/influxdb';
import { mongodb } from '@storeweave/mongodb';
import { neo4j } from '@storeweave/neo4j';
import { typeorm } from '@storeweave/typeorm';
import { SlowProxy } from './slow-proxy.js';

export interface Places {
  readonly relational: { readonly url: string };
  readonly document: { readonly url: string };
  readonly graph: {
    readonly url: string;
    readonly username: string;
    readonly password: string;
    readonly labelPrefix: string;
  };
  readonly timeseries: {
    readonly url: string;
    readonly token: string;
    readonly org: string;
    readonly bucketPrefix: string;
  };
}

export function storesOf({ relational, document, graph, timeseries }: Places) {
  return {
    relational: typeorm({ ...relational, poolSize: 20 }),
    document: mongodb(document),
    graph: neo4j(graph),
    timeseries: influxdb(timeseries),
  } satisfies Record<string, Store>;
}

export interface Way {
  readonly places: Places;
  /** Trips to all engines since it began. */
  trips(): number;
  close(): Promise<void>;
}

/** `delayMs` is one way. */
export async function wayTo(places: Places, delayMs: number): Promise<Way> {
  const proxies: SlowProxy[] = [];
  const through = async <P extends { readonly url: string }>(place: P): Promise<P> => {
    const proxy = await new SlowProxy(place.url, delayMs).listen();
    proxies.push(proxy);
    return { ...place, url: proxy.url };
  };
  const { relational, document, graph, timeseries } = places;
  const direct = new URL(document.url);
  // Its members tell clients where they are, which would lead round the proxy.
  direct.searchParams.set('directConnection', 'true');
  return {
    places: {
      relational: await through(relational),
      document: await through({ url: direct.href }),
      graph: await through({ ...graph, url: graph.url.replace(/^neo4j:/, 'bolt:') }),
      timeseries: await through(timeseries),
    },
    trips: () => proxies.reduce((sum, proxy) => sum + proxy.trips, 0),
    close: async () => void (await Promise.all(proxies.map((proxy) => proxy.close()))),
  };
}
