/** A piece of a sentence: plain words, or a value that stands in it. */
export type Part = { words: string } | { value: string; name: string };

/** Values for the `{names}` in a message. */
export type Values = Readonly<Record<string, string | number>>;

/** Cuts a message at its `{names}`, so that a value can be set apart from the words around it. */
export function parts(message: string, values: Values = {}): Part[] {
  return message
    .split(/(\{[a-z_]+\})/)
    .filter((piece) => piece !== "")
    .map((piece) => {
      if (!piece.startsWith("{")) return { words: piece };
      const name = piece.slice(1, -1);
      const value = values[name];
      if (value === undefined) throw new Error(`a message lacks its value: ${name}`);
      return { value: String(value), name };
    });
}

/** A message as one string. */
export function fill(message: string, values: Values = {}): string {
  return parts(message, values)
    .map((part) => ("words" in part ? part.words : part.value))
    .join("");
}

/** The clock time of a moment, such as `14:32`; with the day when it is not today. */
export function clockTime(at: string, now: Date): string {
  const when = new Date(at);
  const time: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const sameDay = when.toDateString() === now.toDateString();
  const day: Intl.DateTimeFormatOptions = sameDay ? {} : { weekday: "short", day: "numeric", month: "short" };
  return new Intl.DateTimeFormat("en-GB", { ...day, ...time }).format(when);
}

const UNITS: ReadonlyArray<readonly [Intl.RelativeTimeFormatUnitSingular, number]> = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** A span in the largest unit that says it exactly, such as `10 minutes` or `72 hours`. */
export function spanWords(seconds: number): string {
  const fits = UNITS.find(([unit, size]) => seconds % size === 0 && (unit !== "day" || seconds >= 4 * size));
  const [unit, size] = fits ?? ["second", 1];
  return new Intl.NumberFormat("en", { style: "unit", unit, unitDisplay: "long" }).format(seconds / size);
}

const HOUR = 3_600;
const DAYS_FROM = 48 * HOUR;

/** What is left until a moment: `9:05`, from two hours on `3 hours`, from two days on `2 days`; never below zero. */
export function remaining(until: string, now: Date): string {
  const seconds = Math.max(0, Math.ceil((Date.parse(until) - now.getTime()) / 1000));
  if (seconds >= DAYS_FROM) return `${Math.floor(seconds / (24 * HOUR))} days`;
  if (seconds >= 2 * HOUR) return `${Math.floor(seconds / HOUR)} hours`;
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
