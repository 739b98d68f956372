/** What programs coordinate by: leases, events, certificate signing requests. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../../testbed/command.ts';
import type { CaseGroup } from '../harness/context.ts';
import { configMap } from './objects.ts';

const LEASES = 'coordination.k8s.io/v1';
const CSRS = '/apis/certificates.k8s.io/v1/certificatesigningrequests';

export const coordination: CaseGroup = {
  name: 'coordination',
  profile: 'machinery',
  cases: [
    {
      name: 'leases: microseconds are kept, stale writers lose',
      async run(c) {
        const lease = {
          apiVersion: LEASES,
          kind: 'Lease',
          metadata: { name: 'leader' },
          spec: {
            holderIdentity: 'a',
            leaseDurationSeconds: 15,
            acquireTime: '2024-05-06T07:08:09.123456Z',
            renewTime: '2024-05-06T07:08:09.123456Z',
            leaseTransitions: 0,
          },
        };
        const created = await c.call('create', 'POST', c.at(LEASES, 'leases'), { body: lease });
        assert.equal(created.body.spec.acquireTime, '2024-05-06T07:08:09.123456Z');
        const path = c.at(LEASES, 'leases', 'leader');
        const renewed = await c.call('renew', 'PUT', path, {
          body: { ...created.body, spec: { ...created.body.spec, renewTime: '2024-05-06T07:08:19.000001Z' } },
        });
        assert.equal(renewed.status, 200);
        const stolen = await c.call('a stale rival', 'PUT', path, {
          body: { ...created.body, spec: { ...created.body.spec, holderIdentity: 'b' } },
        });
        assert.equal(stolen.status, 409);
        const again = await c.call('create again', 'POST', c.at(LEASES, 'leases'), { body: lease });
        assert.equal(again.status, 409);
        await c.call('invalid', 'PUT', path, {
          body: { ...renewed.body, spec: { ...renewed.body.spec, leaseDurationSeconds: -1 } },
        });
        await c.call('time without fraction', 'PUT', path, {
          body: { ...renewed.body, spec: { ...renewed.body.spec, renewTime: '2024-05-06T07:08:29Z' } },
        });
      },
    },
    {
      name: 'events: core and events.k8s.io are the same objects, chosen by involved object',
      async run(c) {
        const target = await c.prepare('POST', c.at('v1', 'configmaps'), configMap('target'));
        const reference = {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          name: 'target',
          namespace: c.ns,
          uid: target.body.metadata.uid,
        };
        const core = await c.call('core', 'POST', c.at('v1', 'events'), {
          body: {
            apiVersion: 'v1',
            kind: 'Event',
            metadata: { name: 'e1' },
            involvedObject: reference,
            reason: 'Tested',
            message: 'it was tested',
            type: 'Normal',
            source: { component: 'suite' },
            firstTimestamp: '2024-01-01T00:00:00Z',
            lastTimestamp: '2024-01-01T00:00:05Z',
            count: 2,
          },
        });
        assert.equal(core.status, 201);
        const fresh = await c.call('new', 'POST', c.at('events.k8s.io/v1', 'events'), {
          body: {
            apiVersion: 'events.k8s.io/v1',
            kind: 'Event',
            metadata: { name: 'e2' },
            regarding: reference,
            reason: 'Tested',
            note: 'again',
            type: 'Warning',
            action: 'Test',
            eventTime: '2024-01-01T00:00:00.000001Z',
            reportingController: 'example.com/suite',
            reportingInstance: 'one',
          },
        });
        assert.equal(fresh.status, 201);
        const translated = await c.call('core as new', 'GET', c.at('events.k8s.io/v1', 'events', 'e1'));
        assert.equal(translated.body.regarding.name, 'target');
        const back = await c.call('new as core', 'GET', c.at('v1', 'events', 'e2'));
        assert.equal(back.body.involvedObject.name, 'target');
        const chosen = await c.call(
          'by object',
          'GET',
          `${c.at('v1', 'events')}?fieldSelector=involvedObject.name%3Dtarget,type%3DWarning`,
        );
        assert.equal(chosen.body.items.length, 1);
        const wrong = await c.call('invalid', 'POST', c.at('events.k8s.io/v1', 'events'), {
          body: { apiVersion: 'events.k8s.io/v1', kind: 'Event', metadata: { name: 'e3' }, regarding: reference },
        });
        assert.equal(wrong.status, 422);
        const elsewhere = await c.call('of another namespace', 'POST', c.at('v1', 'events'), {
          body: {
            apiVersion: 'v1',
            kind: 'Event',
            metadata: { name: 'e4' },
            involvedObject: { ...reference, namespace: 'elsewhere' },
            reason: 'x',
            message: 'y',
            type: 'Normal',
          },
        });
        assert.equal(elsewhere.status, 422);
      },
    },
    {
      name: 'certificate signing: request, approve, use the certificate',
      clusterScoped: true,
      async run(c) {
        const user = `signed-${c.runId}`;
        const keyPath = join(c.server.folder, `${c.server.name}-${c.runId}.key`);
        const request = await runCommand('openssl', [
          ...['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
          ...['-keyout', keyPath, '-subj', `/O=team-${c.runId}/CN=${user}`],
        ]);
        assert.equal(request.code, 0, request.stderr);
        const key = await readFile(keyPath, 'utf8');
        const name = c.unique('csr');
        const body = {
          apiVersion: 'certificates.k8s.io/v1',
          kind: 'CertificateSigningRequest',
          metadata: { name },
          spec: {
            request: Buffer.from(request.stdout).toString('base64'),
            signerName: 'kubernetes.io/kube-apiserver-client',
            usages: ['client auth'],
            expirationSeconds: 3600,
          },
        };
        const created = await c.call('create', 'POST', CSRS, { body });
        assert.equal(created.status, 201, created.text);
        const condition = { type: 'Approved', status: 'True', reason: 'Test', message: 'by the suite' };
        const approved = await c.call('approve', 'PUT', `${CSRS}/${name}/approval`, {
          body: { ...created.body, status: { conditions: [condition] } },
        });
        assert.equal(approved.status, 200, approved.text);
        const certificate = await c.until(
          'the certificate',
          async () => (await c.quiet('GET', `${CSRS}/${name}`)).body.status?.certificate as string | undefined,
        );
        const cert = Buffer.from(certificate, 'base64').toString();
        assert.equal(new X509Certificate(cert).subject, `O=team-${c.runId}\nCN=${user}`);
        const self = await c.call('who am I', 'POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
          identity: { cert, key },
          body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
        });
        assert.equal(self.body.status.userInfo.username, user);
        const both = await c.call('deny as well', 'PUT', `${CSRS}/${name}/approval`, {
          body: {
            ...approved.body,
            metadata: { name },
            status: { ...approved.body.status, conditions: [condition, { ...condition, type: 'Denied' }] },
          },
        });
        assert.ok(both.status >= 400);
        const change = await c.patch('the request never changes', 'merge', `${CSRS}/${name}`, {
          spec: { usages: ['server auth'] },
        });
        c.record('changed usages', change.body.spec?.usages ?? change.status);
        await c.quiet('DELETE', `${CSRS}/${name}`);
      },
    },
    {
      name: 'certificate signing: what is refused',
      clusterScoped: true,
      async run(c) {
        const base = (spec: object): object => ({
          apiVersion: 'certificates.k8s.io/v1',
          kind: 'CertificateSigningRequest',
          metadata: { name: c.unique('bad') },
          spec: {
            request: Buffer.from('not a request').toString('base64'),
            signerName: 'kubernetes.io/kube-apiserver-client',
            usages: ['client auth'],
            ...spec,
          },
        });
        for (const [step, body] of [
          ['no PEM', base({})],
          ['no usages', base({ usages: [] })],
          ['no signer', base({ signerName: '' })],
        ] as const) {
          const answer = await c.call(step, 'POST', CSRS, { body });
          assert.equal(answer.status, 422);
        }
      },
    },
  ],
};
