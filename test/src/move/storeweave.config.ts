/** What `storeweave move` is given: the application, as every one of its processes opens it. */
import { application } from './domain.js';

export default application;
