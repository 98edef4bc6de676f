// What the shop sells: from the ConfigMap `catalog`.
import { refuse, serve } from './service.js'

const products = JSON.parse(process.env.PRODUCTS ?? '[]')

serve('catalog', {
  'GET /products': () => products,
  'GET /products/:id': ({ params }) => {
    const product = products.find(({ id }) => id === params.id)
    if (!product) throw refuse(404, `no product ${params.id}`)
    return product
  },
})
