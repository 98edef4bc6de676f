/**
 * The messages of the KMS v2 plugin protocol (k8s.io/kms apis/v2), and the one in which Kubernetes keeps a value that was
 * encrypted by its help.
 */
import { bytes, bytesMap, int, message, one, string, type ValueOf } from '../../../lib/protobuf/message.ts'

/** How the plain text of `source` becomes the key: it is the key, or a seed from which each value's key is derived. */
export const SOURCE_KEY = 0
export const SOURCE_SEED = 1

export const statusRequest = message({})
export const statusResponse = message({ version: one(1, string), healthz: one(2, string), keyId: one(3, string) })
export type StatusResponse = ValueOf<typeof statusResponse>

export const encryptRequest = message({ plaintext: one(1, bytes), uid: one(2, string) })
export const encryptResponse = message({ ciphertext: one(1, bytes), keyId: one(2, string), annotations: bytesMap(3) })
export type EncryptResponse = ValueOf<typeof encryptResponse>

export const decryptRequest = message({
  ciphertext: one(1, bytes),
  uid: one(2, string),
  keyId: one(3, string),
  annotations: bytesMap(4),
})
export const decryptResponse = message({ plaintext: one(1, bytes) })

/** A value as it is stored: what the plugin must decrypt to read it, and the data. Decoding throws for other bytes. */
export const encryptedObject = message({
  data: one(1, bytes),
  keyId: one(2, string),
  source: one(3, bytes),
  annotations: bytesMap(4),
  sourceType: one(5, int),
})
export type EncryptedObject = ValueOf<typeof encryptedObject>
