import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { FolderLockedError } from '@storeweave/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockFolder } from './folder-lock.js';

const CHILD = new URL('./folder-lock.fixture.ts', import.meta.url);
const children: ChildProcess[] = [];
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'storeweave-lock-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** A process that tries to take the lock when told to, and tells how it went. */
function contender(): ChildProcess {
  const child = fork(CHILD, [folder], { execArgv: ['--conditions=@storeweave/source', '--import', 'tsx'] });
  children.push(child);
  return child;
}
const told = (child: ChildProcess) =>
  new Promise<string>((resolve) => child.once('message', (message) => resolve(String(message))));
const attempt = async (child: ChildProcess) => {
  const answer = told(child);
  child.send('take');
  return answer;
};

describe('lockFolder', () => {
  it('refuses a second open in the same process, and lets one in after release', () => {
    const lock = lockFolder(folder);
    expect(() => lockFolder(folder)).toThrow(FolderLockedError);
    expect(() => lockFolder(folder)).toThrow(
      new RegExp(`${folder}.*this very process \\(pid ${process.pid}, since \\d{4}-`),
    );
    lock.release();
    lock.release();
    lockFolder(folder).release();
    expect(readdirSync(folder)).toEqual(['storeweave.lock']);
  });

  it('refuses a worker thread of the same process', async () => {
    const lock = lockFolder(folder);
    const require = 'fs-native-extensions';
    const code = `
      const { parentPort, workerData } = require('node:worker_threads');
      const { openSync } = require('node:fs');
      parentPort.postMessage(require('${require}').tryLock(openSync(workerData, 'a+'), 4096, 1));`;
    const worker = new Worker(code, { eval: true, workerData: join(folder, 'storeweave.lock') });
    expect(await new Promise((resolve) => worker.once('message', resolve))).toBe(false);
    lock.release();
  });

  it('lets exactly one of several processes in, names it to the others, and outlives SIGKILL at once', async () => {
    const all = [contender(), contender(), contender(), contender()];
    await Promise.all(all.map(told));
    const answers = await Promise.all(all.map(attempt));
    const winner = all[answers.indexOf('taken')];
    expect(answers.filter((answer) => answer === 'taken')).toHaveLength(1);
    for (const answer of answers.filter((each) => each !== 'taken')) {
      // Between taking the lock and writing who took it there is a moment without a name.
      expect(answer).toMatch(
        new RegExp(`FOLDER_LOCKED.*in use by (process ${winner?.pid} on .*, since \\d{4}-|another process)`),
      );
    }
    expect(() => lockFolder(folder)).toThrow(new RegExp(`process ${winner?.pid} on`));

    // The dead one is a child of this process: until it is reaped it is a zombie, which still answers to signal 0.
    winner?.kill('SIGKILL');
    await new Promise((resolve) => winner?.once('exit', resolve));
    const losers = all.filter((child) => child !== winner);
    const again = await Promise.all(losers.map(attempt));
    expect(again.filter((answer) => answer === 'taken')).toHaveLength(1);
  });
});
