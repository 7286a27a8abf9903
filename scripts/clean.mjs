/** Empties the output folder of a package before it is built, so that nothing of an earlier build is packed. */
import { rmSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
