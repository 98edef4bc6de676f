/**
 * `node:http`, taken so that it stays small. An `import` of it reads every export, and some are getters that load Node's
 * whole fetch and WebSocket client: 70 ms and 15 MB that a server which never uses them would carry.
 */
export const http = process.getBuiltinModule('node:http')
