/** Fields of an EventBridge `cron(…)`, with the least and greatest value of each. */
const FIELDS = [
  ["minute", 0, 59],
  ["hour", 0, 23],
  ["day of month", 1, 31],
  ["month", 1, 12],
  ["day of week", 1, 7],
  ["year", 1970, 2199],
] as const;
const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/**
 * Why a schedule is not one, or never fires from `now` on; undefined if it is fine.
 *
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
 */
export function cronProblem(expression: string, now: Date): string | undefined {
  const parts = /^cron\((.*)\)$/.exec(expression)?.[1]?.trim().split(/\s+/);
  if (parts?.length !== FIELDS.length) return "it is no `cron(minute hour day month weekday year)`";
  for (const [index, [name, least, most]] of FIELDS.entries()) {
    if (!isField(parts[index]!, least, most, index)) return `\`${parts[index]}\` is no ${name}`;
  }
  const [minute, hour, day, month, weekday, years] = parts as [string, string, string, string, string, string];
  if ((day === "?") === (weekday === "?")) return "one of day and weekday has to be `?`, and only one";
  const clock = 60 * Math.max(...values(hour, 0, 23, [])) + Math.max(...values(minute, 0, 59, []));
  const isOver = 60 * now.getUTCHours() + now.getUTCMinutes() >= clock;
  const today = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate());
  return fires(day, month, weekday, years, isOver ? today + DAY : today) ? undefined : "it never fires";
}

/** https://docs.aws.amazon.com/glue/latest/dg/monitor-data-warehouse-schedule.html */
const LEAST_MINUTES = 5;

/** Why Glue would not take a schedule that EventBridge takes; undefined if it would. */
export function glueProblem(expression: string): string | undefined {
  const [minute = "", hour = "", , , weekday = ""] = expression
    .replace(/^cron\(/, "")
    .trim()
    .split(/\s+/);
  if (weekday.includes("#")) return "Glue knows no `#`";
  const minutes = [...new Set(values(minute, 0, 59, []))].sort((one, other) => one - other);
  const hours = new Set(values(hour, 0, 23, []));
  const gaps = minutes.slice(1).map((it, index) => it - minutes[index]!);
  // From the last minute of an hour to the first of the next.
  const isNextHour = [...hours].some((it) => hours.has((it + 1) % 24));
  if (isNextHour) gaps.push(60 + minutes[0]! - minutes.at(-1)!);
  return gaps.some((gap) => gap < LEAST_MINUTES) ? `Glue crawls at most every ${LEAST_MINUTES} minutes` : undefined;
}

const DAY = 86_400_000;
/** The years after which dates and weekdays come in the same order again, and a century without its leap year. */
const CYCLE = 40;

/** Whether any day from `from` on is one that the fields name. */
function fires(day: string, month: string, weekday: string, years: string, from: number): boolean {
  const months = new Set(values(month, 1, 12, MONTHS));
  const first = new Date(from).getUTCFullYear();
  return values(years, 1970, 2199, [])
    .filter((year) => year >= first)
    .slice(0, CYCLE)
    .some((year) =>
      daysOf(year).some((it) => it.getTime() >= from && months.has(it.getUTCMonth() + 1) && is(it, day, weekday)),
    );
}

const daysOf = (year: number) =>
  Array.from({ length: 366 }, (_, index) => new Date(Date.UTC(year, 0, 1 + index))).filter(
    (it) => it.getUTCFullYear() === year,
  );

/** Whether a date is the one that `day`, or else `weekday`, names. */
function is(date: Date, day: string, weekday: string): boolean {
  const number = date.getUTCDate();
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  // Each month has its last day, its last weekday, and one next to a day that it has.
  if (day === "L" || day === "LW") return true;
  if (day.endsWith("W")) return Number(day.slice(0, -1)) <= last;
  if (day !== "?") return values(day, 1, 31, []).includes(number);
  const [its, nth] = weekday.split("#");
  if (nth !== undefined) return date.getUTCDay() + 1 === Number(its) && Math.ceil(number / 7) === Number(nth);
  if (weekday.endsWith("L")) return true;
  return values(weekday, 1, 7, DAYS).includes(date.getUTCDay() + 1);
}

function isField(text: string, least: number, most: number, index: number): boolean {
  if (text === "?") return index === 2 || index === 4;
  if (index === 2 && /^(L|LW|([1-9]|[12]\d|3[01])W)$/.test(text)) return true;
  if (index === 4 && /^(L|[1-7]L|[1-7]#[1-5])$/.test(text)) return true;
  const found = values(text, least, most, index === 3 ? MONTHS : index === 4 ? DAYS : []);
  return found.length > 0 && found.every((value) => value >= least && value <= most);
}

/** The values that a field names; NaN for what is none. */
function values(text: string, least: number, most: number, names: string[]): number[] {
  return text.split(",").flatMap((part) => {
    const [range = "", step] = part.split("/");
    const [from = "", to] = range === "*" ? [String(least), String(most)] : range.split("-");
    const first = number(from, names);
    const last = to === undefined ? (step === undefined ? first : most) : number(to, names);
    const by = step === undefined ? 1 : number(step, []);
    if (Number.isNaN(first + last + by) || by < 1 || last < first || last > most) return [NaN];
    return Array.from({ length: Math.floor((last - first) / by) + 1 }, (_, index) => first + index * by);
  });
}

function number(text: string, names: string[]): number {
  const name = names.indexOf(text.toUpperCase());
  return name >= 0 ? name + 1 : /^\d+$/.test(text) ? Number(text) : NaN;
}
