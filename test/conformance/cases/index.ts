/** All groups of cases. */
import type { CaseGroup } from '../harness/context.ts';
import { access } from './access.ts';
import { apply } from './apply.ts';
import { coordination } from './coordination.ts';
import { crds } from './crds.ts';
import { crud } from './crud.ts';
import { deletion } from './deletion.ts';
import { discovery } from './discovery.ts';
import { errors } from './errors.ts';
import { kubectl } from './kubectl.ts';
import { options } from './options.ts';
import { paging } from './paging.ts';
import { patches } from './patches.ts';
import { rollouts } from './rollouts.ts';
import { selectors } from './selectors.ts';
import { subresources } from './subresources.ts';
import { tables } from './tables.ts';
import { types } from './types.ts';
import { versions } from './versions.ts';
import { watch } from './watch.ts';

export const GROUPS: readonly CaseGroup[] = [
  crud,
  selectors,
  patches,
  subresources,
  errors,
  versions,
  watch,
  paging,
  deletion,
  options,
  apply,
  crds,
  types,
  tables,
  discovery,
  access,
  coordination,
  kubectl,
  rollouts,
];
