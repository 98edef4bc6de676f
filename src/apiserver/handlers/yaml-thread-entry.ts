/** Where the thread that parses YAML begins. */
import { parentPort, workerData } from 'node:worker_threads'
import { parseYaml } from '../../api/machinery/yaml.ts'

try {
  parentPort?.postMessage(parseYaml(workerData as string))
} catch (error) {
  parentPort?.postMessage({ problem: (error as Error).message })
}
