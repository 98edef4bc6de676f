/** How fast an autoscaler may go where its behaviour does not say (k8s.io/kubernetes `pkg/apis/autoscaling/v2`). */
import type { HPAScalingRules, MetricSpec } from '../../generated/types/autoscaling-v2.ts'

export const SCALE_UP: HPAScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
}

export const SCALE_DOWN: HPAScalingRules = {
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
}

/** Average use of the requested CPU that an autoscaler without a metric aims at, in percent. */
export const CPU_PERCENT = 80

/** The metric of autoscaling/v1: average use of the requested CPU, in percent. */
export const cpuMetric = (averageUtilization: number): MetricSpec => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
})
