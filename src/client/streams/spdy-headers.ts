/** Name/value blocks of SPDY/3.1 (draft-mbelshe-httpbis-spdy-00, 2.6.10): one zlib stream per direction. */
import { constants, createDeflate, createInflate, type Deflate, type Inflate } from 'node:zlib'

/** The words of the protocol's dictionary, each stored after its length, and the text that follows them. */
const WORDS =
  'options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow ' +
  'authorization cache-control connection content-base content-encoding content-language content-length ' +
  'content-location content-md5 content-range content-type date etag expect expires from host if-match ' +
  'if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma ' +
  'proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade ' +
  'user-agent vary via warning www-authenticate method get status'
const MORE_WORDS = 'version HTTP/1.1 url public set-cookie keep-alive origin'
const TAIL =
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative ' +
  'Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 ' +
  'Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec ' +
  '00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,' +
  'application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=' +
  'iso-8859-1,utf-,*,enq=0.'

const text = (value: string) => {
  const bytes = Buffer.from(value)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** The dictionary that both ends start with. */
const dictionary = () =>
  Buffer.concat([...[...WORDS.split(' '), '200 OK', ...MORE_WORDS.split(' ')].map(text), Buffer.from(TAIL)])

/** One header block is far below this; more is an attack. */
const MAX_BLOCK = 256 * 1024

function through(stream: Inflate | Deflate, bytes: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    stream.once('error', reject)
    stream.write(bytes, () => {
      stream.off('error', reject)
      resolve((stream.read() as Buffer | null) ?? Buffer.alloc(0))
    })
  })
}

export interface HeaderCoder {
  /** A block as headers, names in lower case. Blocks must come in the order in which they were received. */
  decode(block: Buffer): Promise<Record<string, string>>
  /** Headers as a block. Blocks must be sent in the order in which they were made. */
  encode(headers: Readonly<Record<string, string>>): Promise<Buffer>
  close(): void
}

/** The two zlib streams of one connection. */
export function headerCoder(): HeaderCoder {
  const options = { dictionary: dictionary(), flush: constants.Z_SYNC_FLUSH, readableHighWaterMark: MAX_BLOCK }
  const inflate = createInflate(options)
  const deflate = createDeflate(options)
  for (const stream of [inflate, deflate]) stream.on('error', () => {})
  return {
    async decode(block) {
      const bytes = await through(inflate, block)
      const headers: Record<string, string> = {}
      let at = 4
      const next = () => {
        const length = bytes.readUInt32BE(at)
        if (at + 4 + length > bytes.length) throw new RangeError('SPDY header block is cut short')
        const value = bytes.toString('utf8', at + 4, at + 4 + length)
        at += 4 + length
        return value
      }
      for (let left = bytes.readUInt32BE(0); left > 0; left--) {
        const name = next().toLowerCase()
        headers[name] = next()
      }
      return headers
    },
    encode(headers) {
      const pairs = Object.entries(headers)
      const count = Buffer.alloc(4)
      count.writeUInt32BE(pairs.length)
      return through(deflate, Buffer.concat([count, ...pairs.flatMap(([name, value]) => [text(name), text(value)])]))
    },
    close() {
      inflate.close()
      deflate.close()
    },
  }
}
