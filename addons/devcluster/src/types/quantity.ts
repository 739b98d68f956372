/** Kubernetes quantities: fixed-point numbers with a suffix, such as `100m`, `1.5Gi`, `1e3`. */

const FORM = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d+)?$/;
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const DECIMAL: Record<number, string> = {
  [-9]: 'n',
  [-6]: 'u',
  [-3]: 'm',
  0: '',
  3: 'k',
  6: 'M',
  9: 'G',
  12: 'T',
  15: 'P',
  18: 'E',
};
const DECIMAL_EXPONENT = new Map(Object.entries(DECIMAL).map(([exponent, suffix]) => [suffix, Number(exponent)]));
const NANO = 10n ** 9n;
const LARGEST = (2n ** 63n - 1n) * NANO;

/** What the real server says of text that is no quantity. */
export const QUANTITY_PATTERN = '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$';

interface Parsed {
  /** In units of 10⁻⁹; smaller parts are rounded away from zero. */
  nano: bigint;
  form: 'binary' | 'decimal' | 'exponent';
}

function parse(text: string): Parsed | undefined {
  const match = FORM.exec(text.trim());
  if (!match) return undefined;
  const [, sign, number = '', suffix = ''] = match;
  const [whole = '', fraction = ''] = number.split('.');
  let numerator = BigInt(`${whole}${fraction}` || '0') * NANO;
  let denominator = 10n ** BigInt(fraction.length);
  let form: Parsed['form'] = 'decimal';
  const binary = suffix.endsWith('i') ? BINARY.indexOf(suffix) : -1;
  if (binary >= 0) {
    form = 'binary';
    numerator *= 1024n ** BigInt(binary);
  } else {
    let exponent = DECIMAL_EXPONENT.get(suffix);
    if (exponent === undefined) {
      form = 'exponent';
      exponent = Number(suffix.slice(1));
      if (Math.abs(exponent) > 60) exponent = Math.sign(exponent) * 60;
    }
    if (exponent >= 0) numerator *= 10n ** BigInt(exponent);
    else denominator *= 10n ** BigInt(-exponent);
  }
  let nano = numerator / denominator;
  if (numerator % denominator !== 0n) nano += 1n;
  if (nano > LARGEST) nano = LARGEST;
  return { nano: sign === '-' ? -nano : nano, form };
}

/** Whether the value can be read as a quantity. */
export const isQuantity = (value: unknown): boolean =>
  typeof value === 'number' ? Number.isFinite(value) : typeof value === 'string' && parse(value) !== undefined;

/**
 * The form in which the API stores a quantity: no precision lost, no fraction, the largest suffix that allows it.
 * @returns undefined when the value is no quantity.
 */
export function canonicalQuantity(value: string | number): string | undefined {
  // Most quantities are written in their stored form already.
  if (typeof value === 'string' && /^[1-9]\d{0,2}(m|Ki|Mi|Gi|k|M|G)?$/.test(value)) return value;
  const parsed = parse(String(value));
  if (!parsed) return undefined;
  const { nano, form } = parsed;
  if (nano === 0n) return '0';
  const negative = nano < 0n;
  const size = negative ? -nano : nano;
  const sign = negative ? '-' : '';
  if (form === 'binary' && size >= 1024n * NANO && size % NANO === 0n) {
    let number = size / NANO;
    let power = 0;
    while (power < BINARY.length - 1 && number % 1024n === 0n) {
      number /= 1024n;
      power++;
    }
    return `${sign}${number}${BINARY[power]}`;
  }
  let number = size;
  let exponent = -9;
  while (exponent < 18 && number % 1000n === 0n) {
    number /= 1000n;
    exponent += 3;
  }
  if (form === 'exponent') return `${sign}${number}${exponent === 0 ? '' : `e${exponent}`}`;
  return `${sign}${number}${DECIMAL[exponent]}`;
}

/** Compares two quantities. @returns negative, zero or positive; what is no quantity counts as zero. */
export function compareQuantities(a: string | number, b: string | number): number {
  const left = parse(String(a))?.nano ?? 0n;
  const right = parse(String(b))?.nano ?? 0n;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The value in whole units, rounded up; 0 for what is no quantity. */
export function quantityValue(value: string | number): number {
  const nano = parse(String(value))?.nano ?? 0n;
  return Number(nano > 0n ? (nano + NANO - 1n) / NANO : nano / NANO);
}
