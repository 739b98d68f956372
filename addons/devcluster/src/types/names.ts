/** Forms of names, labels and other words, with what the API says of text that does not have them. */

const LABEL_FORM = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN_FORM = `${LABEL_FORM}(\\.${LABEL_FORM})*`;
const LABEL_1035_FORM = '[a-z]([-a-z0-9]*[a-z0-9])?';
const QUALIFIED_FORM = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const VALUE_FORM = '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?';
const CONFIG_KEY_FORM = '[-._a-zA-Z0-9]+';

const exactly = (form: string): RegExp => new RegExp(`^(?:${form})$`);
const LABEL = exactly(LABEL_FORM);
const SUBDOMAIN = exactly(SUBDOMAIN_FORM);
const LABEL_1035 = exactly(LABEL_1035_FORM);
const QUALIFIED = exactly(QUALIFIED_FORM);
const VALUE = exactly(VALUE_FORM);
const CONFIG_KEY = exactly(CONFIG_KEY_FORM);

const longer = (maximum: number): string => `must be no more than ${maximum} characters`;
const examples = (...list: string[]): string => list.map((one) => `'${one}'`).join(',  or ');
const formed = (what: string, form: string, ...list: string[]): string =>
  `${what} (e.g. ${examples(...list)}, regex used for validation is '${form}')`;

/** A rule for text: what is wrong with it, nothing when it is well formed. */
export type TextRule = (value: string) => string[];

export const dnsLabel: TextRule = (value) => [
  ...(value.length > 63 ? [longer(63)] : []),
  ...(LABEL.test(value)
    ? []
    : [
        SUBDOMAIN.test(value)
          ? 'must not contain dots'
          : formed(
              "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
              LABEL_FORM,
              'my-name',
              '123-abc',
            ),
      ]),
];

export const dnsLabel1035: TextRule = (value) => [
  ...(value.length > 63 ? [longer(63)] : []),
  ...(LABEL_1035.test(value)
    ? []
    : [
        formed(
          "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
          LABEL_1035_FORM,
          'my-name',
          'abc-123',
        ),
      ]),
];

export const dnsSubdomain: TextRule = (value) => [
  ...(value.length > 253 ? [longer(253)] : []),
  ...(SUBDOMAIN.test(value)
    ? []
    : [
        formed(
          "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
          SUBDOMAIN_FORM,
          'example.com',
        ),
      ]),
];

/** A host name whose first label may be `*`. */
export const wildcardSubdomain: TextRule = (value) => {
  const form = `\\*\\.${SUBDOMAIN_FORM}`;
  return [
    ...(value.length > 253 ? [longer(253)] : []),
    ...(exactly(form).test(value)
      ? []
      : [
          formed(
            "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
            form,
            '*.example.com',
          ),
        ]),
  ];
};

/** Names that may hold anything that fits into one part of a path. */
export const pathSegment: TextRule = (value) => {
  if (value === '.' || value === '..') return [`may not be '${value}'`];
  return ['/', '%'].filter((one) => value.includes(one)).map((one) => `may not contain '${one}'`);
};

/** Keys of labels and annotations: `name` or `prefix/name`. */
export const qualifiedName: TextRule = (value) => {
  const parts = value.split('/');
  const problems: string[] = [];
  let name = parts[0]!;
  const nameForm = formed(
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    QUALIFIED_FORM,
    'MyName',
    'my.name',
    '123-abc',
  );
  if (parts.length === 2) {
    const [prefix = ''] = parts;
    name = parts[1]!;
    if (prefix === '') problems.push('prefix part must be non-empty');
    else problems.push(...dnsSubdomain(prefix).map((problem) => `prefix part ${problem}`));
  } else if (parts.length > 2) {
    return [
      formed(
        "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        QUALIFIED_FORM,
        'MyName',
        'my.name',
        '123-abc',
      ).concat(" with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"),
    ];
  }
  if (name === '') problems.push('name part must be non-empty');
  else if (name.length > 63) problems.push(`name part ${longer(63)}`);
  if (!QUALIFIED.test(name)) problems.push(nameForm);
  return problems;
};

export const labelValue: TextRule = (value) => [
  ...(value.length > 63 ? [longer(63)] : []),
  ...(VALUE.test(value)
    ? []
    : [
        formed(
          "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
          VALUE_FORM,
          'MyValue',
          'my_value',
          '12345',
        ),
      ]),
];

/** Keys of the data of ConfigMaps and Secrets. */
export const configMapKey: TextRule = (value) => {
  const problems: string[] = [];
  if (value.length > 253) problems.push(longer(253));
  if (!CONFIG_KEY.test(value)) {
    problems.push(
      formed(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        CONFIG_KEY_FORM,
        'key.name',
        'KEY_NAME',
        'key-name',
      ),
    );
  }
  if (value === '.') problems.push("must not be '.'");
  else if (value === '..') problems.push("must not be '..'");
  else if (value.startsWith('..')) problems.push("must not start with '..'");
  return problems;
};

/** Names of ports: at most 15 characters, a letter among them. */
export const portName: TextRule = (value) => [
  ...(value.length > 15 ? ['must be no more than 15 characters'] : []),
  ...(/^[-a-z0-9]+$/.test(value) ? [] : ['must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)']),
  ...(/[a-z]/.test(value) ? [] : ['must contain at least one letter (a-z)']),
  ...(value.includes('--') ? ['must not contain consecutive hyphens'] : []),
  ...(value.startsWith('-') || value.endsWith('-') ? ['must not begin or end with a hyphen'] : []),
];

/** Names of environment variables. */
export const environmentName: TextRule = (value) =>
  /^[\x20-\x3C\x3E-\x7E]+$/.test(value)
    ? []
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];

export const portNumber = (value: unknown): string[] =>
  typeof value === 'number' && value >= 1 && value <= 65535 ? [] : ['must be between 1 and 65535, inclusive'];

export const NOT_NEGATIVE = 'must be greater than or equal to 0';
