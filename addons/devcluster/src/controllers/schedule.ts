/** Schedules of CronJobs: five fields, names of months and days, `@hourly` and its like, time zones. */

export interface Schedule {
  /** The first time after `after` that the schedule names; undefined when there is none within five years. Milliseconds. */
  next(after: number): number | undefined;
}

interface Field {
  name: string;
  minimum: number;
  maximum: number;
  names?: string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const FIELDS: Field[] = [
  { name: 'minute', minimum: 0, maximum: 59 },
  { name: 'hour', minimum: 0, maximum: 23 },
  { name: 'day of month', minimum: 1, maximum: 31 },
  { name: 'month', minimum: 1, maximum: 12, names: MONTHS },
  { name: 'day of week', minimum: 0, maximum: 6, names: DAYS },
];
const NAMED: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Says what is wrong with a schedule. */
export class ScheduleError extends Error {}

function parseField(text: string, field: Field): { values: Set<number>; any: boolean } {
  const values = new Set<number>();
  let any = false;
  for (const part of text.split(',')) {
    const [range = '', step, ...more] = part.split('/');
    if (more.length > 0) throw new ScheduleError(`too many slashes: ${part}`);
    const [from = '', to, ...rest] = range.split('-');
    if (rest.length > 0) throw new ScheduleError(`too many hyphens: ${part}`);
    const read = (word: string): number => {
      const named = field.names?.indexOf(word.toLowerCase()) ?? -1;
      if (named >= 0) return named + field.minimum;
      if (!/^\d+$/.test(word))
        throw new ScheduleError(
          `failed to parse int from ${word}: strconv.Atoi: parsing ${JSON.stringify(word)}: invalid syntax`,
        );
      return Number(word);
    };
    let first: number;
    let last: number;
    if (from === '*' || from === '?') {
      first = field.minimum;
      last = field.maximum;
      if (step === undefined) any = true;
    } else {
      first = read(from);
      last = to === undefined ? (step === undefined ? first : field.maximum) : read(to);
    }
    const by = step === undefined ? 1 : read(step);
    if (first < field.minimum)
      throw new ScheduleError(`beginning of range (${first}) below minimum (${field.minimum}): ${part}`);
    if (last > field.maximum)
      throw new ScheduleError(`end of range (${last}) above maximum (${field.maximum}): ${part}`);
    if (first > last) throw new ScheduleError(`beginning of range (${first}) beyond end of range (${last}): ${part}`);
    if (by === 0) throw new ScheduleError(`step of range should be a positive number: ${part}`);
    for (let value = first; value <= last; value += by) values.add(value);
  }
  return { values, any };
}

/** The offset of a time zone at a time, in milliseconds east of UTC. */
function zoneOffset(format: Intl.DateTimeFormat, at: number): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(at)) parts[type] = Number(value);
  const local = Date.UTC(parts.year!, parts.month! - 1, parts.day, parts.hour! % 24, parts.minute, parts.second);
  return local - Math.floor(at / 1000) * 1000;
}

/**
 * Reads a schedule.
 * @param zone IANA name of a time zone; UTC without one
 * @throws ScheduleError for text that is no schedule, RangeError for a zone that is unknown
 */
export function parseSchedule(text: string, zone?: string): Schedule {
  const every = /^@every (\d+)(s|m|h)$/.exec(text.trim());
  if (every) {
    const ms = Number(every[1]) * (every[2] === 's' ? 1000 : every[2] === 'm' ? MINUTE : 60 * MINUTE);
    return { next: (after) => Math.floor(after / 1000) * 1000 + ms };
  }
  const spelled = NAMED[text.trim()] ?? text.trim();
  if (spelled.startsWith('@')) throw new ScheduleError(`unrecognized descriptor: ${text}`);
  const fields = spelled.split(/\s+/).filter((one) => one !== '');
  if (fields.length !== 5) {
    throw new ScheduleError(`expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`);
  }
  const [minutes, hours, days, months, weekdays] = fields.map((one, index) => parseField(one, FIELDS[index]!));
  const format =
    zone && zone !== 'UTC' && zone !== 'Etc/UTC'
      ? new Intl.DateTimeFormat('en-US', {
          timeZone: zone,
          hourCycle: 'h23',
          year: 'numeric',
          month: 'numeric',
          day: 'numeric',
          hour: 'numeric',
          minute: 'numeric',
          second: 'numeric',
        })
      : undefined;
  const dayFits = (date: Date): boolean => {
    const monthDay = days!.values.has(date.getUTCDate());
    const weekDay = weekdays!.values.has(date.getUTCDay());
    // When both are given, either will do.
    return days!.any || weekdays!.any ? monthDay && weekDay : monthDay || weekDay;
  };
  return {
    next(after) {
      const limit = after + 5 * 366 * DAY;
      const offset = (at: number): number => (format ? zoneOffset(format, at) : 0);
      // Wall-clock time of the zone, kept in the fields of a UTC date.
      let wall = Math.floor((after + offset(after)) / MINUTE) * MINUTE + MINUTE;
      while (wall < limit + DAY) {
        const date = new Date(wall);
        if (!months!.values.has(date.getUTCMonth() + 1)) {
          wall = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
        } else if (!dayFits(date)) {
          wall = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + 1);
        } else if (!hours!.values.has(date.getUTCHours())) {
          wall = (Math.floor(wall / (60 * MINUTE)) + 1) * 60 * MINUTE;
        } else if (!minutes!.values.has(date.getUTCMinutes())) {
          wall += MINUTE;
        } else {
          const guess = wall - offset(wall);
          const at = wall - offset(guess);
          // A time that the change to summer time leaves out is no time.
          if (at + offset(at) === wall && at > after) return at;
          wall += MINUTE;
        }
      }
      return undefined;
    },
  };
}
