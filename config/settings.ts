// The settings as a list, read off the schema: for the names of variables and flags, the example file and the help.
import type { z } from 'zod'
import { schema } from './schema.ts'
import type { SettingType } from './units.ts'

/** One setting of the schema. */
export interface Setting {
  section: string
  key: string
  /** As in a flag and in messages: `mqtt.port`. */
  path: string
  /** Its environment variable: `TOCSIN_MQTT__PORT`. */
  variable: string
  type: SettingType
  default: unknown
  description: string
}

/** Every setting, in the order of the schema. */
export function listSettings(): Setting[] {
  return Object.entries(schema.shape).flatMap(([section, prefault]) =>
    Object.entries(prefault.unwrap().shape as Record<string, z.ZodDefault>).map(([key, field]) => ({
      section,
      key,
      path: `${section}.${key}`,
      variable: `TOCSIN_${upperSnake(section)}__${upperSnake(key)}`,
      type: (field.unwrap() as z.ZodType).meta()?.['setting'] as SettingType,
      default: field.def.defaultValue,
      description: field.description ?? ''
    }))
  )
}

function upperSnake(camelCase: string): string {
  return camelCase.replace(/[A-Z]/g, letter => `_${letter}`).toUpperCase()
}
