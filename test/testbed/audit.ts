/** The API server's audit log: who asked for what. */

/** One finished request, or the start of a long-running one. */
export interface AuditRecord {
  /** `ResponseStarted` for watches that have begun, `ResponseComplete` for all that is over. */
  stage: 'ResponseStarted' | 'ResponseComplete' | 'Panic';
  verb: string;
  user: string;
  groups: string[];
  /** Who the user acts as, when it impersonates. */
  impersonates?: string;
  userAgent: string;
  uri: string;
  group: string;
  resource: string;
  subresource: string;
  namespace: string;
  name: string;
  code: number;
  /** RFC 3339 with microseconds: when the request arrived. */
  receivedAt: string;
}

export const WRITE_VERBS: readonly string[] = ['create', 'update', 'patch', 'delete', 'deletecollection'];

/** Logs the metadata of every request once it is answered; bodies are not kept. */
export const AUDIT_POLICY = `${JSON.stringify({
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
})}\n`;

interface RawRecord {
  stage: AuditRecord['stage'];
  verb?: string;
  user?: { username?: string; groups?: string[] };
  impersonatedUser?: { username?: string };
  userAgent?: string;
  requestURI?: string;
  objectRef?: { apiGroup?: string; resource?: string; subresource?: string; namespace?: string; name?: string };
  responseStatus?: { code?: number };
  requestReceivedTimestamp?: string;
}

/** Reads audit records from the log's text; a last line that is not complete yet is left out. */
export function parseAuditLog(text: string): AuditRecord[] {
  const complete = text.slice(0, text.lastIndexOf('\n') + 1);
  const records: AuditRecord[] = [];
  for (const line of complete.split('\n')) {
    if (!line) continue;
    const raw = JSON.parse(line) as RawRecord;
    const ref = raw.objectRef ?? {};
    records.push({
      stage: raw.stage,
      verb: raw.verb ?? '',
      user: raw.user?.username ?? '',
      groups: raw.user?.groups ?? [],
      impersonates: raw.impersonatedUser?.username,
      userAgent: raw.userAgent ?? '',
      uri: raw.requestURI ?? '',
      group: ref.apiGroup ?? '',
      resource: ref.resource ?? '',
      subresource: ref.subresource ?? '',
      namespace: ref.namespace ?? '',
      name: ref.name ?? '',
      code: raw.responseStatus?.code ?? 0,
      receivedAt: raw.requestReceivedTimestamp ?? '',
    });
  }
  return records;
}
