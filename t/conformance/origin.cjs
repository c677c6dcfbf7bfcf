// SPDX-License-Identifier: Apache-2.0
//
// What `run` loads into the process of the suite's origin server: which would listen on every
// address of the machine, and outlive whoever started it.
'use strict'

const { Server } = require('node:net')
const listen = Server.prototype.listen

Server.prototype.listen = function (where, ...more) {
  const options = typeof where === 'object' && where !== null ? where : { port: Number(where) }
  return listen.call(this, { ...options, host: '127.0.0.1' }, ...more)
}

// standard input is a pipe that ends with the process at its other end
process.stdin.on('end', () => process.exit(0))
process.stdin.resume()
