export { type CallOptions, type Service, type ServiceExit, type StartServiceOptions, startService } from './host.ts';
