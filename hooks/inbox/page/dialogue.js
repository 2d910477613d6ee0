// What was said in an SMTP session, who decided what, and how long it took.

import * as api from './api.js';
import { fill, foreign, h, icon, visible } from './dom.js';
import { count, exactly, milliseconds, size } from './format.js';

export async function dialogueTab(panel, message, signal) {
  const { session, entries } = await api.get(`messages/${message.id}/dialogue`, {}, signal);
  if (!signal.aborted) fill(panel, drawSession(session, entries, message.injected));
}

// The facts and the lines of a session; also for one that brought no message.
export function drawSession(session, entries, injected = false) {
  if (injected) return h('p.panel-note', {}, 'This message came over the API: there was no SMTP session.');
  return [
    session && facts(session, entries),
    entries?.length
      ? h('ol.dialogue', { 'aria-label': 'SMTP dialogue' }, lines(entries))
      : h(
          'p.panel-note',
          {},
          session?.ended
            ? 'Nothing was said.'
            : 'The session still goes on. What was said in it is shown here when it is over.',
        ),
  ];
}

function facts(session, entries = []) {
  const asked = entries.filter((entry) => entry.from === 'hook');
  const lasted = session.ended ? new Date(session.ended) - new Date(session.began) : null;
  const client = session.client?.ip
    ? `${session.client.ip}${session.client.port ? `:${session.client.port}` : ''}`
    : 'a unix socket';
  const tls = entries.find((entry) => entry.what === 'tls');
  return h(
    'dl.session',
    {},
    fact('Client', client),
    fact('Hello', session.helo),
    fact('Listener', session.listener),
    fact(
      'TLS',
      tls
        ? `${tls.version}, ${tls.cipher}`
        : typeof session.tls === 'string'
          ? session.tls
          : session.tls
            ? 'yes'
            : 'no',
    ),
    fact('User', session.user),
    fact('Began', exactly(session.began)),
    lasted !== null && fact('Lasted', milliseconds(lasted)),
    asked.length > 0 && fact('In hooks', milliseconds(asked.reduce((sum, entry) => sum + (entry.took_ms || 0), 0))),
  );
}

const fact = (name, value) => value && h('div', {}, h('dt', {}, name), h('dd', {}, foreign(value)));

function lines(entries) {
  const slowest = Math.max(1, ...entries.map((entry) => entry.took_ms || 0));
  const again = (entry, before) => before && entry.from === before.from && at(entry.ms) === at(before.ms);
  return entries.map((entry, index) =>
    h(
      `li.said.by-${from(entry)}`,
      {},
      h('span.at', {}, again(entry, entries[index - 1]) ? '' : at(entry.ms)),
      content(entry, slowest),
    ),
  );
}

const from = (entry) => (['client', 'server', 'hook'].includes(entry.from) ? entry.from : 'daemon');
const at = (ms) => (ms === undefined ? '' : ms < 1000 ? String(Math.round(ms * 10) / 10) : count(Math.round(ms)));

function content(entry, slowest) {
  const who = { client: 'Client', server: 'Server', hook: 'Hook', daemon: '' }[from(entry)];
  if (entry.from === 'hook') return verdict(entry, slowest);
  if (entry.from === 'client' || entry.from === 'server') {
    const what =
      entry.octets === undefined
        ? h('code', {}, coded(entry))
        : h('span.octets', {}, icon('file'), `message, ${size(entry.octets)}`);
    return [
      h(
        'span.who',
        {},
        h('span.hear-only', {}, who),
        h('span', { 'aria-hidden': 'true' }, entry.from === 'client' ? 'C' : 'S'),
      ),
      what,
    ];
  }
  const text =
    { tls: `${entry.version}, ${entry.cipher}`, truncated: 'Here the record ends: there was more.' }[entry.what] ??
    entry.what ??
    '';
  return [h('span.who', {}, icon(entry.what === 'tls' ? 'lock' : 'help')), h('span', {}, foreign(text))];
}

// The code of a reply in the colour of what it means.
function coded(entry) {
  const code = entry.from === 'server' && /^[2345]\d\d(?=[ -]|$)/.exec(entry.line || '')?.[0];
  if (!code) return visible(entry.line);
  return [h(`b.code-${code[0]}`, {}, code), visible(entry.line.slice(3))];
}

function verdict(entry, slowest) {
  const action = entry.failed ? 'failed' : entry.action || 'accept';
  const bar = h('span.took-bar', { 'aria-hidden': 'true' }, h('i'));
  bar.firstChild.style.inlineSize = `${Math.max(2, (100 * (entry.took_ms || 0)) / slowest)}%`;
  const said =
    entry.failed ||
    [entry.code, Array.isArray(entry.text) ? entry.text.join(' ') : entry.text].filter(Boolean).join(' ');
  return [
    h('span.who', {}, icon('right')),
    h(
      'span.asked',
      {},
      h('b', {}, foreign(entry.hook)),
      entry.instance > 1 && h('span.soft', {}, ` /${entry.instance}`),
      ' ',
      h('span.soft', {}, visible(entry.event)),
    ),
    h(`span.verdict.is-${verdicts[action] || 'bad'}`, {}, visible(action)),
    said && h('span.said-text', {}, foreign(said)),
    h('span.took', {}, bar, milliseconds(entry.took_ms)),
  ];
}

const verdicts = { accept: 'ok', ok: 'ok', defer: 'warn', discard: 'warn', reject: 'bad', close: 'bad', failed: 'bad' };
export const outcomeKind = { delivered: 'ok', refused: 'bad', 'broken off': 'warn', 'no mail': 'none' };
