// The message as its reader sees it: HTML in a frame that can do nothing, plain text, and the octets themselves.

import * as api from './api.js';
import { copyButton, fill, h, icon, safeUrl, tool, visible } from './dom.js';
import { size } from './format.js';

const WIDTHS = [
  { name: 'phone', title: 'Phone, 390 pixels' },
  { name: 'tablet', title: 'Tablet, 768 pixels' },
  { name: 'desktop', title: 'Desktop, all there is' },
];
const SHOWN = 1 << 19; // characters of a text: more would only make the browser slow

let width = 'desktop'; // stays from message to message

// The frame has an origin of its own, that of nobody: it runs no script and sees nothing of this page. What it may load
// is in the policy that the server sends with the document.
export function htmlTab(panel, message) {
  let remote = false;
  const path = () => api.url(`messages/${message.id}/html`, { remote: remote ? 1 : 0 });
  const stage = h('div.stage');
  const draw = () => {
    stage.dataset.width = width;
    fill(
      stage,
      h('iframe', {
        src: path(),
        sandbox: 'allow-popups allow-popups-to-escape-sandbox',
        referrerpolicy: 'no-referrer',
        title: 'The message as HTML',
      }),
    );
  };
  const choices = WIDTHS.map(({ name, title }) =>
    tool(name, title, () => choose(name), { 'aria-pressed': String(name === width), 'data-width': name }),
  );
  const choose = (name) => {
    width = name;
    stage.dataset.width = name;
    for (const choice of choices) choice.setAttribute('aria-pressed', String(choice.dataset.width === name));
  };
  const load = h(
    'button.link',
    {
      type: 'button',
      'aria-pressed': 'false',
      onclick: () => {
        remote = !remote;
        load.setAttribute('aria-pressed', String(remote));
        load.textContent = remote ? 'Block remote images' : 'Load remote images';
        draw();
      },
    },
    'Load remote images',
  );
  fill(
    panel,
    h('div.panel-bar', {}, h('div.segmented', { role: 'group', 'aria-label': 'Width' }, choices), h('span.grow'), load),
    stage,
  );
  draw();
  panel.nextWidth = () => choose(WIDTHS[(WIDTHS.findIndex(({ name }) => name === width) + 1) % WIDTHS.length].name);
}

const ADDRESS = /\bhttps?:\/\/[^\s<>"'\u201c\u201d]+[^\s<>"'\u201c\u201d.,;:!?)\]]/g;

// Addresses become links; lines that quote others step back.
export function textTab(panel, message) {
  const pre = h('pre.plain', { dir: 'auto' });
  const text = message.text.slice(0, SHOWN);
  for (const line of text.split(/\r?\n/)) {
    const element = h(line.startsWith('>') ? 'span.quoted' : 'span');
    let end = 0;
    for (const found of line.matchAll(ADDRESS)) {
      const url = safeUrl(found[0]);
      element.append(visible(line.slice(end, found.index)), url ? outward(url, found[0]) : found[0]);
      end = found.index + found[0].length;
    }
    element.append(visible(line.slice(end)), '\n');
    pre.append(element);
  }
  fill(
    panel,
    h('div.panel-bar', {}, h('span.grow'), copyButton(message.text, 'Copy the text')),
    pre,
    text.length < message.text.length && rest(`messages/${message.id}/text`, 'The text goes on'),
  );
}

export const outward = (url, text) =>
  h('a', { href: url, target: '_blank', rel: 'noopener noreferrer', dir: 'auto' }, visible(text));

export async function sourceTab(panel, message, signal) {
  const { text, cut } = await api.beginning(`messages/${message.id}/source`, SHOWN, signal);
  const pre = h('pre.source', { dir: 'ltr' });
  const end = text.search(/\r?\n\r?\n/);
  for (const line of text.slice(0, end < 0 ? text.length : end).split(/\r?\n/)) {
    const name = /^[!-9;-~]+:/.exec(line)?.[0];
    pre.append(...(name ? [h('b', {}, name), visible(line.slice(name.length))] : [visible(line)]), '\n');
  }
  if (end >= 0) pre.append(visible(text.slice(end).replaceAll('\r', '').replace(/^\n/, '')));
  const raw = api.url(`messages/${message.id}/raw`);
  fill(
    panel,
    h(
      'div.panel-bar',
      {},
      h('span.soft', {}, size(message.size)),
      h('span.grow'),
      copyButton(text, 'Copy the source'),
      h('a.tool', { href: raw, download: '', title: 'Download', 'aria-label': 'Download' }, icon('download')),
    ),
    pre,
    cut && rest(`messages/${message.id}/source`, 'The source goes on'),
  );
}

const rest = (path, text) =>
  h('p.more', {}, `${text}. `, h('a', { href: api.url(path), target: '_blank', rel: 'noopener' }, 'Open all of it'));
