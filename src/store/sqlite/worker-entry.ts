/** Where the writer's thread begins when Tutti runs from its sources. */
import { runSqliteWorker } from './worker.ts'

runSqliteWorker()
