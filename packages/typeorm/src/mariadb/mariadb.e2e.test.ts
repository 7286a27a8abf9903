import { sharedServer } from '@storeweave/testing/servers';
import { portableSuite } from '../portable/suite.fixture.js';

portableSuite('MariaDB', async () => {
  const url = await (await sharedServer('mariadb')).database('portable');
  return () => ({ url });
});
