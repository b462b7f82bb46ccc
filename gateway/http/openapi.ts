// GET /v1/openapi.json: the OpenAPI 3.1 document, made of the routes' own schemas.
import type { FastifyInstance, RouteOptions } from 'fastify'
import { problem } from './schemas.ts'

interface ParameterSchema {
  properties?: Record<string, { description?: string }>
  required?: string[]
}

/** Collects every operation that is registered after this call and serves the document. */
export function installOpenApi(app: FastifyInstance, version: string): void {
  const paths: Record<string, Record<string, object>> = {}
  app.addHook('onRoute', route => {
    if (route.config?.hidden) return
    const path = route.url.replaceAll(/:(\w+)/g, '{$1}')
    for (const method of [route.method].flat()) {
      if (method !== 'HEAD') (paths[path] ??= {})[method.toLowerCase()] = operation(route)
    }
  })
  app.get('/v1/openapi.json', {
    config: { summary: 'This document.', answers: { 200: { description: 'OpenAPI 3.1' } } },
    handler: async () => ({
      openapi: '3.1.0',
      info: { title: 'Tocsin', version, description: 'The operators’ side of an IoT notification backend.' },
      paths,
      components: {
        securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
        schemas: { Problem: problem }
      }
    })
  })
}

function operation({ schema, config }: RouteOptions): object {
  const { role, summary, answers = {} } = config ?? {}
  const responses = Object.fromEntries(
    Object.entries(answers).map(([status, { description, schema: body, type = 'application/json' }]) => [
      status,
      { description, ...(body && { content: { [type]: { schema: body } } }) }
    ])
  )
  return {
    ...(summary && { summary: role ? `${summary} (${role})` : summary }),
    ...(role && { security: [{ token: [] }] }),
    parameters: [...parameters('path', schema?.params), ...parameters('query', schema?.querystring)],
    ...(schema?.body !== undefined && {
      requestBody: { required: true, content: { 'application/json': { schema: schema.body } } }
    }),
    responses: {
      ...responses,
      default: {
        description: 'A problem',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
      }
    }
  }
}

function parameters(place: 'path' | 'query', schema: unknown): object[] {
  const { properties = {}, required = [] } = (schema ?? {}) as ParameterSchema
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description && { description }),
    schema: rest
  }))
}
