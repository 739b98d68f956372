export * from './contract.ts';
export * from './errors.ts';
export * from './faults.ts';
export * from './lateen.ts';
export * from './oam.ts';
