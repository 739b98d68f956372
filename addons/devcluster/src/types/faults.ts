/** Faults of an object's fields, worded as the Kubernetes API words them. */

/** One fault. `message` is what follows the field's path in an error message. */
export interface FieldFault {
  reason:
    | 'FieldValueRequired'
    | 'FieldValueInvalid'
    | 'FieldValueNotSupported'
    | 'FieldValueDuplicate'
    | 'FieldValueNotFound'
    | 'FieldValueForbidden'
    | 'FieldValueTooLong'
    | 'FieldValueTooMany';
  field: string;
  message: string;
}

const text = (value: unknown): string => (value === undefined ? 'null' : JSON.stringify(value));

export const required = (field: string, detail = ''): FieldFault => ({
  reason: 'FieldValueRequired',
  field,
  message: detail ? `Required value: ${detail}` : 'Required value',
});

export const invalid = (field: string, value: unknown, detail: string): FieldFault => ({
  reason: 'FieldValueInvalid',
  field,
  message: detail ? `Invalid value: ${text(value)}: ${detail}` : `Invalid value: ${text(value)}`,
});

/** @param supported the values that are, in the order in which the message names them */
export const notSupported = (field: string, value: unknown, supported: readonly string[]): FieldFault => ({
  reason: 'FieldValueNotSupported',
  field,
  message: `Unsupported value: ${text(value)}${
    supported.length > 0 ? `: supported values: ${supported.map((one) => JSON.stringify(one)).join(', ')}` : ''
  }`,
});

export const duplicate = (field: string, value: unknown): FieldFault => ({
  reason: 'FieldValueDuplicate',
  field,
  message: `Duplicate value: ${text(value)}`,
});

export const notFound = (field: string, value: unknown): FieldFault => ({
  reason: 'FieldValueNotFound',
  field,
  message: `Not found: ${text(value)}`,
});

export const forbidden = (field: string, detail: string): FieldFault => ({
  reason: 'FieldValueForbidden',
  field,
  message: `Forbidden: ${detail}`,
});

export const tooLong = (field: string, maximum: number): FieldFault => ({
  reason: 'FieldValueTooLong',
  field,
  message: `Too long: may not be more than ${maximum} bytes`,
});

/** The field may not change: a fault when it does. */
export const immutable = (field: string, value: unknown): FieldFault => invalid(field, value, 'field is immutable');
