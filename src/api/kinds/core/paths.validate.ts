/** Paths in volumes and mounts: relative ones that stay inside (k8s.io/kubernetes `pkg/apis/core/validation`). */
import { invalid } from '../../machinery/field-error.ts'
import type { Errors } from '../rules.ts'

export function checkNoBacksteps(target: string, path: string, errors: Errors): void {
  if (target.includes('..') && target.split('/').includes('..')) {
    errors.push(invalid(path, target, "must not contain '..'"))
  }
}

/** Relative, and never upwards. */
export function checkDescending(target: string, path: string, errors: Errors): void {
  if (target.startsWith('/')) errors.push(invalid(path, target, 'must be a relative path'))
  checkNoBacksteps(target, path, errors)
}

/** As checkDescending, and no name that the kubelet keeps for itself (`..data`). */
export function checkLocalPath(target: string, path: string, errors: Errors): void {
  checkDescending(target, path, errors)
  if (target.startsWith('..') && !target.startsWith('../')) {
    errors.push(invalid(path, target, "must not start with '..'"))
  }
}

export function checkFileMode(mode: number | undefined, path: string, errors: Errors): void {
  if (mode !== undefined && (mode > 0o777 || mode < 0)) {
    errors.push(invalid(path, mode, 'must be a number between 0 and 0777 (octal), both inclusive'))
  }
}
