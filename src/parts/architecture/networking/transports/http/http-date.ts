/**
 * The `Date` of answers: a time as RFC 9110's IMF-fixdate, made once per second.
 *
 * Days become a civil date by the algorithm of Howard Hinnant ("chrono-compatible low-level date algorithms"): years
 * begin in March, so that leap days come last.
 */
const dayNames = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const monthNames = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export function httpDate(timeMs: number): string {
  const seconds = Math.floor(timeMs / 1000);
  const days = Math.floor(seconds / 86_400);
  const second = seconds - days * 86_400;
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const leaps = Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leaps) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const two = (value: number) => String(value).padStart(2, "0");
  const clock = [second / 3600, (second % 3600) / 60, second % 60].map((value) => two(Math.floor(value))).join(":");
  return `${dayNames[((days % 7) + 7) % 7]}, ${two(day)} ${monthNames[month - 1]} ${year} ${clock} GMT`;
}

/** Makes the text anew only when the second has changed. */
export class HttpDateClock {
  #second = Number.NaN;
  #text = "";

  textAt(timeMs: number): string {
    const second = Math.floor(timeMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = httpDate(timeMs);
    }
    return this.#text;
  }
}
