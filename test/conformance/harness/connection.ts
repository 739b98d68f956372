/** Plain HTTPS to an API server, with nothing between a case and the wire. */
import { Agent, type RequestOptions, request } from 'node:https';
import { parse } from 'yaml';

/** What is needed to talk to a server as one identity. */
export interface Endpoint {
  url: string;
  ca: string;
  cert?: string;
  key?: string;
  token?: string;
}

/** An answer as it came: `body` is parsed JSON, or the text where it is not JSON. */
export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  // Cases look deep into answers of every kind; what they assert is what types would have said.
  // biome-ignore lint/suspicious/noExplicitAny: an answer is whatever the server says
  body: any;
  text: string;
}

export interface CallOptions {
  body?: unknown;
  contentType?: string;
  accept?: string;
  headers?: Record<string, string | string[]>;
  /** User to impersonate, with groups. */
  as?: string;
  asGroups?: string[];
  /** Speak with this bearer token only, or with no credentials at all (`''`). */
  token?: string;
  /** Speak with this client certificate only. */
  identity?: { cert: string; key: string };
}

export interface WatchEvent {
  type: string;
  // biome-ignore lint/suspicious/noExplicitAny: an event carries any object
  object: any;
}

export interface Connection {
  readonly url: string;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** Opens a watch; `next` resolves with the next event, or `undefined` once the server has ended the stream. */
  watch(path: string, options?: CallOptions): Promise<WatchStream>;
  close(): void;
}

export interface WatchStream {
  /** Status of the answer; other than 200 means that there are no events, and `failure` is the body. */
  status: number;
  failure?: unknown;
  next(timeoutMs?: number): Promise<WatchEvent | 'silence' | undefined>;
  close(): void;
}

interface KubeconfigFile {
  'current-context': string;
  clusters: { name: string; cluster: { server: string; 'certificate-authority-data'?: string } }[];
  users: {
    name: string;
    user: { 'client-certificate-data'?: string; 'client-key-data'?: string; token?: string };
  }[];
  contexts: { name: string; context: { cluster: string; user: string } }[];
}

const fromBase64 = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : Buffer.from(text, 'base64').toString('utf8');

/** Reads server and credentials of the current context; credentials must stand in the file itself. */
export function endpointOf(kubeconfig: string): Endpoint {
  const file = parse(kubeconfig) as KubeconfigFile;
  const context = file.contexts.find((one) => one.name === file['current-context'])?.context;
  const cluster = file.clusters.find((one) => one.name === context?.cluster)?.cluster;
  const user = file.users.find((one) => one.name === context?.user)?.user;
  const ca = fromBase64(cluster?.['certificate-authority-data']);
  if (!cluster || !user || !ca) throw new Error('the kubeconfig lacks a server, its CA or a user');
  return {
    url: cluster.server.replace(/\/$/, ''),
    ca,
    cert: fromBase64(user['client-certificate-data']),
    key: fromBase64(user['client-key-data']),
    token: user.token,
  };
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Opens a connection pool to a server. */
export function connectTo(endpoint: Endpoint): Connection {
  const { url, ca } = endpoint;
  const agent = new Agent({ keepAlive: true, ca, cert: endpoint.cert, key: endpoint.key, maxSockets: 64 });
  const anonymous = new Agent({ keepAlive: true, ca });

  function requestOptions(method: string, options: CallOptions, payload: string | undefined): RequestOptions {
    const headers: Record<string, string | string[]> = {
      accept: options.accept ?? 'application/json',
      'user-agent': 'conformance/1.0 (test)',
    };
    let chosen = agent;
    let credentials: { cert?: string; key?: string; agent?: false } = {};
    if (options.token !== undefined) {
      chosen = anonymous;
      if (options.token) headers.authorization = `Bearer ${options.token}`;
    } else if (options.identity) {
      credentials = { ...options.identity, agent: false };
    } else if (endpoint.token) {
      headers.authorization = `Bearer ${endpoint.token}`;
    }
    if (options.as) headers['impersonate-user'] = options.as;
    if (options.asGroups) headers['impersonate-group'] = options.asGroups;
    if (payload !== undefined) {
      headers['content-type'] = options.contentType ?? 'application/json';
      headers['content-length'] = String(Buffer.byteLength(payload));
    }
    return { method, headers: { ...headers, ...options.headers }, agent: chosen, ca, ...credentials };
  }

  return {
    url,
    call(method, path, options = {}) {
      const payload =
        options.body === undefined
          ? undefined
          : typeof options.body === 'string'
            ? options.body
            : JSON.stringify(options.body);
      return new Promise((resolve, reject) => {
        const outgoing = request(`${url}${path}`, requestOptions(method, options, payload), (incoming) => {
          let text = '';
          incoming.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          incoming.on('end', () =>
            resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: parseBody(text), text }),
          );
          incoming.on('error', reject);
        });
        outgoing.on('error', reject);
        outgoing.setTimeout(60_000, () => outgoing.destroy(new Error(`no answer to ${method} ${path} in 60 s`)));
        outgoing.end(payload);
      });
    },
    watch(path, options = {}) {
      return new Promise((resolve, reject) => {
        const outgoing = request(`${url}${path}`, requestOptions('GET', options, undefined), (incoming) => {
          const status = incoming.statusCode ?? 0;
          const queue: WatchEvent[] = [];
          let wake: (() => void) | undefined;
          let over = false;
          let rest = '';
          const end = (): void => {
            over = true;
            wake?.();
          };
          incoming.setEncoding('utf8').on('data', (chunk: string) => {
            rest += chunk;
            for (let cut = rest.indexOf('\n'); status === 200 && cut >= 0; cut = rest.indexOf('\n')) {
              const line = rest.slice(0, cut);
              rest = rest.slice(cut + 1);
              if (line.trim()) queue.push(JSON.parse(line) as WatchEvent);
            }
            wake?.();
          });
          incoming.on('end', end).on('error', end).on('close', end);
          const stream: WatchStream = {
            status,
            async next(timeoutMs = 15_000) {
              const deadline = Date.now() + timeoutMs;
              while (queue.length === 0 && !over) {
                const left = deadline - Date.now();
                if (left <= 0) return 'silence';
                await new Promise<void>((done) => {
                  const timer = setTimeout(done, left);
                  wake = () => {
                    clearTimeout(timer);
                    done();
                  };
                });
              }
              return queue.shift();
            },
            close: () => outgoing.destroy(),
          };
          if (status === 200) resolve(stream);
          else incoming.once('end', () => resolve({ ...stream, failure: parseBody(rest) }));
        });
        outgoing.on('error', reject);
        outgoing.end();
      });
    },
    close() {
      agent.destroy();
      anonymous.destroy();
    },
  };
}
