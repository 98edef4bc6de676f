/** Cells that every kind with a pod template has. */
import type { PodTemplateSpec } from '../generated/types/core-v1.ts'

/** Names of a template's containers. */
export const containerNames = (template: PodTemplateSpec | undefined) =>
  template?.spec?.containers?.map(({ name }) => name).join(',') ?? ''

/** Images of a template's containers. */
export const images = (template: PodTemplateSpec | undefined) =>
  template?.spec?.containers?.map(({ image }) => image ?? '').join(',') ?? ''
