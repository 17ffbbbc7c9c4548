// A worker in a browser that gives no database.

import './take-database-away.mjs';
import '/client/dist/worker.js';
