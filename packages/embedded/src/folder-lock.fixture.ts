/** A process that takes the lock of a folder when it is told to. */
import { StoreweaveError } from '@storeweave/core';
import { lockFolder } from './folder-lock.js';

const [folder = ''] = process.argv.slice(2);
process.on('message', () => {
  try {
    lockFolder(folder);
    process.send?.('taken');
  } catch (error) {
    process.send?.(error instanceof StoreweaveError ? `${error.code} ${error.message}` : String(error));
  }
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
