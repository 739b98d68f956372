/**
 * `t.*` (this module, exported as `t`): one declaration gives the TypeScript type of a definition's parameters and their JSON Schema.
 * The schema is the value itself; there is no library behind it, so a bundle carries next to nothing.
 */
import type { Json, JsonObject, JsonPrimitive, JsonSchema } from '@lateen/schemas';

declare const OUTPUT: unique symbol;
declare const INPUT: unique symbol;
declare const DEFAULTED: unique symbol;

/**
 * A JSON Schema that knows its TypeScript types: `Output` is what a render function is given (defaults filled in),
 * `Input` what a user may write (fields with a default may be left out).
 */
export interface Schema<Output, Input = Output> extends JsonSchema {
  readonly [OUTPUT]?: Output;
  readonly [INPUT]?: Input;
}

/** A schema whose field may be left out because it has a default. */
export interface Defaulted<Output, Input = Output> extends Schema<Output, Input> {
  readonly [DEFAULTED]?: true;
  default: Json;
}

/** A field of `t.object` that may be left out. It is no schema of its own: it stands only in `t.object`. */
export interface Optional<Output, Input = Output> {
  readonly optional: Schema<Output, Input>;
}

type AnySchema = Schema<unknown>;
type Fields = Record<string, AnySchema | Optional<unknown>>;

type OutputOf<S> =
  S extends Optional<infer O, infer _> ? O | undefined : S extends Schema<infer O, infer _> ? O : never;
type InputOf<S> = S extends Optional<infer _, infer I> ? I | undefined : S extends Schema<infer _, infer I> ? I : never;
type Flat<T> = { [K in keyof T]: T[K] };

type ObjectOutput<F extends Fields> = Flat<
  { [K in keyof F as F[K] extends Optional<unknown> ? never : K]: OutputOf<F[K]> } & {
    [K in keyof F as F[K] extends Optional<unknown> ? K : never]?: OutputOf<F[K]>;
  }
>;
type MayBeLeftOut<S> = S extends Optional<unknown> ? true : S extends { readonly [DEFAULTED]?: true } ? true : false;
type ObjectInput<F extends Fields> = Flat<
  { [K in keyof F as MayBeLeftOut<F[K]> extends true ? never : K]: InputOf<F[K]> } & {
    [K in keyof F as MayBeLeftOut<F[K]> extends true ? K : never]?: InputOf<F[K]>;
  }
>;

/** The type that a render function is given for this schema. */
export type Infer<S> = OutputOf<S>;
/** The type that a user may write for this schema. */
export type InferInput<S> = InputOf<S>;

/** What every schema may say for people and forms. */
export interface Notes {
  /** Short label for forms. */
  title?: string;
  /** One sentence for users: what the parameter does. */
  description?: string;
  examples?: Json[];
  deprecated?: boolean;
  /** Hints for forms, passed through as `x-ui`. */
  ui?: Json;
}

export interface StringOptions extends Notes {
  /** `quantity`, `duration`, `uri`, …: for people and forms; `pattern` is what is checked. */
  format?: string;
  /** A regular expression that the text must match somewhere; anchor it to match the whole. */
  pattern?: string;
  minLength?: number;
  maxLength?: number;
}

export interface NumberOptions extends Notes {
  minimum?: number;
  maximum?: number;
  format?: string;
}

export interface ArrayOptions extends Notes {
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
}

export interface ObjectOptions extends Notes {
  /** Keep properties that are not declared instead of refusing them. */
  open?: boolean;
}

export interface RecordOptions extends Notes {
  minProperties?: number;
}

/** A plain string stands for `{ description }`. */
type Note<O extends Notes> = string | O;

function noted<S extends JsonSchema>(schema: S, note: Note<Notes> | undefined): S {
  if (note === undefined) return schema;
  if (typeof note === 'string') return { ...schema, description: note };
  const { ui, ...rest } = note as Notes & { open?: boolean };
  delete (rest as { open?: boolean }).open;
  return ui === undefined ? { ...schema, ...rest } : { ...schema, ...rest, 'x-ui': ui };
}

/** Text. */
export function string(options?: Note<StringOptions>): Schema<string> {
  return noted({ type: 'string' }, options);
}

/** A whole number. */
export function integer(options?: Note<NumberOptions>): Schema<number> {
  return noted({ type: 'integer' }, options);
}

export function number(options?: Note<NumberOptions>): Schema<number> {
  return noted({ type: 'number' }, options);
}

export function boolean(options?: Note<Notes>): Schema<boolean> {
  return noted({ type: 'boolean' }, options);
}

/** One of the given values: `t.oneOf(['TCP', 'UDP'])`. */
export function oneOf<const V extends readonly [JsonPrimitive, ...JsonPrimitive[]]>(
  values: V,
  options?: Note<Notes>,
): Schema<V[number]> {
  const isText = values.every((value) => typeof value === 'string');
  return noted(isText ? { type: 'string', enum: [...values] } : { enum: [...values] }, options);
}

/** A list whose elements all fit `items`. */
export function array<S extends AnySchema>(
  items: S,
  options?: Note<ArrayOptions>,
): Schema<OutputOf<S>[], InputOf<S>[]> {
  return noted({ type: 'array', items }, options);
}

/** A map from any key to values that all fit `values`. */
export function record<S extends AnySchema>(
  values: S,
  options?: Note<RecordOptions>,
): Schema<Record<string, OutputOf<S>>, Record<string, InputOf<S>>> {
  return noted({ type: 'object', additionalProperties: values }, options);
}

/**
 * A closed object: a property that is not declared is a fault, unless `open` says otherwise. Fields in `t.optional`
 * or with a default need not be given.
 */
export function object<F extends Fields>(
  fields: F,
  options?: Note<ObjectOptions>,
): Schema<ObjectOutput<F>, ObjectInput<F>> {
  const properties: Record<string, JsonSchema> = {};
  const required: string[] = [];
  for (const [name, field] of Object.entries(fields)) {
    const isOptional = 'optional' in field;
    const schema = isOptional ? (field as Optional<unknown>).optional : (field as AnySchema);
    properties[name] = schema;
    if (!isOptional && schema.default === undefined) required.push(name);
  }
  const isOpen = typeof options === 'object' && options.open === true;
  const schema: JsonSchema = { type: 'object', properties };
  if (required.length > 0) schema.required = required;
  schema.additionalProperties = isOpen;
  return noted(schema, options);
}

/** Any JSON value. */
export function json(options?: Note<Notes>): Schema<Json> {
  return noted({}, options);
}

/** A Kubernetes quantity: `500m`, `1.5Gi`, or a plain number. */
export function quantity(options?: Note<Notes>): Schema<string | number> {
  const text: JsonSchema = {
    type: 'string',
    pattern: '^[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$',
  };
  return noted({ anyOf: [text, { type: 'number' }], format: 'quantity' }, options);
}

/** An integer or a text, as Kubernetes has it for ports and percentages. */
export function intOrString(options?: Note<Notes>): Schema<number | string> {
  return noted({ 'x-kubernetes-int-or-string': true }, options);
}

/** A field of `t.object` that may be left out. */
export function optional<S extends AnySchema>(schema: S): Optional<OutputOf<S>, InputOf<S>> {
  return { optional: schema as Schema<OutputOf<S>, InputOf<S>> };
}

/** A field that takes `value` where the user gives none; a render function always finds it filled. */
export function withDefault<S extends AnySchema, V extends InputOf<S> & Json>(
  schema: S,
  value: V,
): Defaulted<OutputOf<S>, InputOf<S>> {
  return { ...schema, default: value } as Defaulted<OutputOf<S>, InputOf<S>>;
}

/** The same, or `null`: for maps in which `null` removes a key. */
export function nullable<S extends AnySchema>(schema: S): Schema<OutputOf<S> | null, InputOf<S> | null> {
  return { ...schema, nullable: true } as Schema<OutputOf<S> | null, InputOf<S> | null>;
}

/**
 * One of two forms: the first where the value has the property `key`, else the second. In a render function
 * `if ('containers' in parameters)` tells them apart.
 */
export function chooseBy<A extends AnySchema, B extends AnySchema>(
  key: string,
  whenPresent: A,
  whenAbsent: B,
  options?: Note<Notes>,
): Schema<OutputOf<A> | OutputOf<B>, InputOf<A> | InputOf<B>> {
  return noted({ anyOf: [whenPresent, whenAbsent], 'x-choose-by': key }, options);
}

/** Any Kubernetes object: `apiVersion`, `kind`, `metadata` and whatever its kind has. */
export function manifest(options?: Note<Notes>): Schema<{ apiVersion: string; kind: string } & JsonObject> {
  const schema: JsonSchema = {
    type: 'object',
    properties: { apiVersion: { type: 'string' }, kind: { type: 'string' } },
    required: ['apiVersion', 'kind'],
    additionalProperties: true,
  };
  return noted(schema, options);
}
