import { defineAddon } from 'lateen/sdk';
import { service } from './src/service.ts';

export default defineAddon({ components: [service] });
