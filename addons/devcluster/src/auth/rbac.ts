/** Role-based access control: which rules a user has, and whether they allow a request. */
import type { Loose } from '../types/loose.ts';

/** Who asks. */
export interface UserInfo {
  name: string;
  uid?: string;
  groups: string[];
  extra?: Record<string, string[]>;
}

/** What is asked for. */
export interface AccessAttributes {
  verb: string;
  /** For requests on resources. */
  group?: string;
  version?: string;
  resource?: string;
  subresource?: string;
  name?: string;
  /** Empty for cluster-scoped resources and requests over all namespaces. */
  namespace?: string;
  /** For other requests, e.g. `/healthz`. */
  path?: string;
}

export interface PolicyRule {
  verbs: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

export interface Decision {
  allowed: boolean;
  /** Which binding allows it; empty when it is refused. */
  reason: string;
}

/** Where the roles and bindings come from. Objects are as the API serves them. */
export interface RoleSource {
  clusterRole(name: string): Loose | undefined;
  role(namespace: string, name: string): Loose | undefined;
  clusterRoleBindings(): Iterable<Loose>;
  roleBindings(namespace: string): Iterable<Loose>;
}

export const MASTERS = 'system:masters';
const SERVICE_ACCOUNT = 'system:serviceaccount:';

/** The user name of a ServiceAccount. */
export const serviceAccountUser = (namespace: string, name: string): string => `${SERVICE_ACCOUNT}${namespace}:${name}`;

function subjectMatches(subject: Loose, user: UserInfo, namespace: string): boolean {
  switch (subject.kind) {
    case 'User':
      return subject.name === user.name;
    case 'Group':
      return user.groups.includes(subject.name);
    case 'ServiceAccount':
      return user.name === serviceAccountUser(subject.namespace || namespace, subject.name);
    default:
      return false;
  }
}

const describeSubject = (subject: Loose, namespace: string): string => {
  if (subject.kind === 'ServiceAccount') return `ServiceAccount "${subject.name}/${subject.namespace || namespace}"`;
  return `${subject.kind} "${subject.name}"`;
};

/** Visits each rule that applies to the user in the namespace, until the visitor returns false. */
function visitRules(
  source: RoleSource,
  user: UserInfo,
  namespace: string,
  visit: (rule: PolicyRule, reason: () => string) => boolean,
): void {
  const bindings = (list: Iterable<Loose>, kind: string, at: string): boolean => {
    for (const binding of list) {
      const subject = (binding.subjects as Loose[] | undefined)?.find((one) => subjectMatches(one, user, at));
      if (!subject) continue;
      const { kind: roleKind, name } = binding.roleRef ?? {};
      const role = roleKind === 'ClusterRole' ? source.clusterRole(name) : at ? source.role(at, name) : undefined;
      const reason = (): string =>
        `RBAC: allowed by ${kind} "${binding.metadata.name}${at ? `/${at}` : ''}" of ${roleKind} "${name}" to ${describeSubject(subject, at)}`;
      for (const rule of (role?.rules as PolicyRule[] | undefined) ?? []) if (!visit(rule, reason)) return false;
    }
    return true;
  };
  if (!bindings(source.clusterRoleBindings(), 'ClusterRoleBinding', '')) return;
  if (namespace) bindings(source.roleBindings(namespace), 'RoleBinding', namespace);
}

const hasOrAll = (list: string[] | undefined, value: string): boolean =>
  list !== undefined && (list.includes(value) || list.includes('*'));

/** Whether one rule allows a request. */
export function ruleAllows(rule: PolicyRule, request: AccessAttributes): boolean {
  if (!hasOrAll(rule.verbs, request.verb)) return false;
  if (request.path !== undefined) {
    const { path } = request;
    return (rule.nonResourceURLs ?? []).some(
      (one) => one === '*' || one === path || (one.endsWith('*') && path.startsWith(one.slice(0, -1))),
    );
  }
  const { group = '', resource = '', subresource = '', name = '' } = request;
  if (!hasOrAll(rule.apiGroups, group)) return false;
  const combined = subresource ? `${resource}/${subresource}` : resource;
  const resources = rule.resources ?? [];
  if (!resources.some((one) => one === '*' || one === combined || (subresource !== '' && one === `*/${subresource}`)))
    return false;
  return !rule.resourceNames?.length || (name !== '' && rule.resourceNames.includes(name));
}

/** Whether a user may do something. Members of `system:masters` may do everything. */
export function authorize(source: RoleSource, user: UserInfo, request: AccessAttributes): Decision {
  if (user.groups.includes(MASTERS)) return { allowed: true, reason: '' };
  let decision: Decision = { allowed: false, reason: '' };
  visitRules(source, user, request.path === undefined ? (request.namespace ?? '') : '', (rule, reason) => {
    if (!ruleAllows(rule, request)) return true;
    decision = { allowed: true, reason: reason() };
    return false;
  });
  return decision;
}

/** All rules that a user has in a namespace (those of cluster role bindings included). */
export function rulesFor(source: RoleSource, user: UserInfo, namespace: string): PolicyRule[] {
  const rules: PolicyRule[] = [];
  if (user.groups.includes(MASTERS)) {
    rules.push({ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, { verbs: ['*'], nonResourceURLs: ['*'] });
  }
  visitRules(source, user, namespace, (rule) => {
    rules.push(rule);
    return true;
  });
  return rules;
}

/** A rule taken apart into rules of one verb, group, resource and name each, so that they can be compared. */
function breakdown(rule: PolicyRule): PolicyRule[] {
  const result: PolicyRule[] = [];
  for (const verb of rule.verbs ?? []) {
    for (const url of rule.nonResourceURLs ?? []) result.push({ verbs: [verb], nonResourceURLs: [url] });
    for (const group of rule.apiGroups ?? []) {
      for (const resource of rule.resources ?? []) {
        const base = { verbs: [verb], apiGroups: [group], resources: [resource] };
        if (!rule.resourceNames?.length) result.push(base);
        else for (const name of rule.resourceNames) result.push({ ...base, resourceNames: [name] });
      }
    }
  }
  return result;
}

function covers(owned: PolicyRule, wanted: PolicyRule): boolean {
  if (!hasOrAll(owned.verbs, wanted.verbs[0]!)) return false;
  const url = wanted.nonResourceURLs?.[0];
  if (url !== undefined) {
    return (owned.nonResourceURLs ?? []).some(
      (one) => one === url || one === '*' || (one.endsWith('*') && url.startsWith(one.slice(0, -1))),
    );
  }
  if (!hasOrAll(owned.apiGroups, wanted.apiGroups![0]!)) return false;
  const resource = wanted.resources![0]!;
  const slash = resource.indexOf('/');
  const resourceCovered = (owned.resources ?? []).some(
    (one) => one === '*' || one === resource || (slash >= 0 && one === `*${resource.slice(slash)}`),
  );
  if (!resourceCovered) return false;
  if (!owned.resourceNames?.length) return true;
  return wanted.resourceNames !== undefined && owned.resourceNames.includes(wanted.resourceNames[0]!);
}

/**
 * Which of the wanted rights the owned rules do not give, each as a rule of one verb.
 * An empty result means that granting them is no escalation.
 */
export function missingRights(owned: PolicyRule[], wanted: PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(breakdown).filter((one) => !owned.some((rule) => covers(rule, one)));
}

/** A rule as the real server writes it in messages, e.g. `{APIGroups:["apps"], Resources:["deployments"], Verbs:["get"]}`. */
export function ruleText(rule: PolicyRule): string {
  const quote = (list: string[]): string => `[${list.map((one) => JSON.stringify(one)).join(' ')}]`;
  const parts: string[] = [];
  if (rule.apiGroups?.length) parts.push(`APIGroups:${quote(rule.apiGroups)}`);
  if (rule.resources?.length) parts.push(`Resources:${quote(rule.resources)}`);
  if (rule.nonResourceURLs?.length) parts.push(`NonResourceURLs:${quote(rule.nonResourceURLs)}`);
  if (rule.resourceNames?.length) parts.push(`ResourceNames:${quote(rule.resourceNames)}`);
  if (rule.verbs?.length) parts.push(`Verbs:${quote(rule.verbs)}`);
  return `{${parts.join(', ')}}`;
}
