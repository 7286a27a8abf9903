/** Rounds whose units of work, strikes, kills and restarts are chosen by the seed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { failpointsOver, type Strike } from './failpoints.js';
import { type Ground, untilOver } from './round.js';

type Random = (below: number) => number;

/** Longest life of a worker before it is killed, in milliseconds. */
const LIFE_MS = 1_200;
/** So much longer where it is to be struck, which may take some units of work. */
const STRUCK_MS = 2_000;

export async function randomRound(ground: Ground, random: Random): Promise<void> {
  const { servers } = ground;
  const strike = random(3) > 0 ? randomStrike(ground, random) : undefined;
  const down = random(4) === 0 ? servers.names[random(servers.names.length)] : undefined;
  // It takes long to start, and says no more than the others do.
  const isDown = down !== undefined && (down !== 'neo4j' || random(5) === 0);
  const [downAfter, downMs] = [random(600), random(500)];
  const workers = random(4) === 0 ? 2 : 1;
  const [seed, relay] = [random(2 ** 31), random(2) === 0];
  const isLong = strike !== undefined && strike.fault !== 'fail';
  const life = (isLong ? STRUCK_MS : 200) + random(LIFE_MS);
  const [reads, readsFirst] = [random(3) === 0, random(2) === 0];
  const own = { units: 6 + random(20), streams: 1 + random(5), full: random(3), reads };
  const size = { ...own, isFirstAlone: false, meets: false };

  const name = `${strike === undefined ? 'random' : `${strike.fault} ${strike.at.moment} ${strike.at.step}`}${isDown ? `, ${down} down` : ''}`;
  await ground.run(
    name,
    async (round) => {
      const crew = [await ground.worker()];
      while (crew.length < workers) crew.push(await ground.hire(relay));
      const restarts =
        isDown && down !== undefined ? sleep(downAfter).then(() => ground.bounce(down, downMs)) : undefined;
      await Promise.all(
        crew.map(async (worker, at) => {
          if (strike !== undefined && at === 0) await worker.ask({ do: 'arm', strikes: [strike] });
          const work = worker.ask({ do: 'work', round, worker: 'abc'[at] ?? 'd', seed: seed + at, ...size });
          const struck = worker.strike().then(() => sleep(400));
          const isOver = untilOver(work, worker);
          const ends = [isOver, sleep(life), ...(strike?.fault === 'hang' ? [struck] : [])];
          await Promise.race(ends);
        }),
      );
      // Some end in good order, most are killed in the middle of what they do.
      const survivors = [];
      for (const worker of crew) {
        const isGone = await Promise.race([worker.gone.then(() => true), sleep(0).then(() => false)]);
        if (isGone) ground.counts.kills++;
        else survivors.push(worker);
      }
      for (const worker of survivors) await ground.kill(worker);
      await restarts;
      return [];
    },
    { readsFirst, isDown },
  );
}

/** Any step of any unit of work, after some others. */
function randomStrike(ground: Ground, random: Random): Strike {
  const places = failpointsOver(ground.servers.rooms.stores);
  const place = places[random(places.length)];
  const fault = (['kill', 'kill', 'hang', 'fail'] as const)[random(4)] ?? 'kill';
  return {
    at: { step: place?.step ?? 'decide', moment: place?.moment ?? 'before', ...(place && { store: place.store }) },
    fault,
    skip: random(6),
  };
}
