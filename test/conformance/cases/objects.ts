/** Objects that many cases use. */

export interface TestObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, string>; [field: string]: unknown };
  [field: string]: unknown;
}

export function configMap(
  name: string,
  data: Record<string, string> = {},
  labels?: Record<string, string>,
): TestObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...(labels ? { labels } : {}) }, data };
}

export function secret(name: string, stringData: Record<string, string>): TestObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData };
}

/** A container list entry with nothing but what is required. */
export function container(
  name: string,
  image = 'nginx:1.25',
): Record<string, unknown> & { name: string; image: string } {
  return { name, image };
}

export function deployment(name: string, more: { spec?: object; pod?: object; metadata?: object } = {}): TestObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, ...more.metadata },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [container('main')], ...more.pod },
      },
      ...more.spec,
    },
  };
}

export function service(name: string, spec: object = { ports: [{ port: 80 }] }): TestObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec };
}
