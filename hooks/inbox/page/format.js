// Values as people read them.

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

export function size(octets) {
  let unit = 0;
  let value = octets;
  for (; value >= 1000 && unit < UNITS.length - 1; ++unit) value /= 1000;
  return `${unit && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const seconds = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const longDay = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' });

// The time of today, else the day: what fits a column.
export function when(time, now = new Date()) {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return '';
  if (date.toDateString() === now.toDateString()) return clock.format(date);
  return date.getFullYear() === now.getFullYear() ? day.format(date) : date.toISOString().slice(0, 10);
}

export function exactly(time) {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? '' : `${longDay.format(date)}, ${seconds.format(date)}`;
}

const numbers = new Intl.NumberFormat('en');
export const count = (n) => numbers.format(n);
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

export const milliseconds = (ms) =>
  ms === undefined || ms === null ? '' : ms < 10 ? `${Number(ms).toFixed(1)} ms` : `${count(Math.round(ms))} ms`;

// Who it is from, in a word or two.
export const sender = (message) =>
  message.from ? message.from.name || message.from.address || 'Unknown sender' : 'No sender';
export const subject = (message) => message.subject || 'No subject';

// What finds a tag, whatever it is called.
export const tagTerm = (tag) => `tag:${/[\s"]/.test(tag) ? `"${tag.replace(/["\\]/g, '\\$&')}"` : tag}`;
