/** Which services are ours to give an address. */
import type { Service } from '../../api/generated/types/core-v1.ts'

/** Of type LoadBalancer, and of no class: those with one are left to whoever the class names. */
export const isBalanced = ({ spec }: Service) => spec?.type === 'LoadBalancer' && !spec.loadBalancerClass
