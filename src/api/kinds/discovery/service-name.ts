/** Label of an EndpointSlice: the service that it belongs to (API doc: discovery/v1 EndpointSlice). */
export const SERVICE_NAME = 'kubernetes.io/service-name'
