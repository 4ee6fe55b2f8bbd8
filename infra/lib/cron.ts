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
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Why a schedule is not one, or never fires after `year`; undefined if it is fine.
 *
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
 */
export function cronProblem(expression: string, year: number): string | undefined {
  const parts = /^cron\((.*)\)$/.exec(expression)?.[1]?.trim().split(/\s+/);
  if (parts?.length !== FIELDS.length) return "it is no `cron(minute hour day month weekday year)`";
  for (const [index, [name, least, most]] of FIELDS.entries()) {
    if (!isField(parts[index]!, least, most, index)) return `\`${parts[index]}\` is no ${name}`;
  }
  const [, , day, month, weekday, years] = parts as [string, string, string, string, string, string];
  if ((day === "?") === (weekday === "?")) return "one of day and weekday has to be `?`, and only one";
  if (years !== "*" && !values(years, 1970, 2199, []).some((it) => it >= year))
    return "it never fires: its years are over";
  const days = /^\d/.test(day) ? values(day, 1, 31, []) : [1];
  const longest = Math.max(...values(month, 1, 12, MONTHS).map((it) => MONTH_DAYS[it - 1]!));
  if (Math.min(...days) > longest) return "it never fires: no such month has that day";
  return undefined;
}

function isField(text: string, least: number, most: number, index: number): boolean {
  if (text === "?") return index === 2 || index === 4;
  if (index === 2 && /^(L|LW|\d{1,2}W)$/.test(text)) return true;
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
