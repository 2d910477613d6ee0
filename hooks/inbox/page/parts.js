// What a message is made of: its fields, attachments, parts and links, and what may look different elsewhere.

import * as api from './api.js';
import { outward } from './bodies.js';
import { copyButton, fill, foreign, h, icon, safeUrl, visible } from './dom.js';
import { plural, size } from './format.js';

const PICTURES = /^image\/(png|jpeg|gif|webp|avif|bmp|svg\+xml)$/;
const LARGEST_PICTURE = 8 << 20;

export function headersTab(panel, message) {
  let raw = false;
  const body = h('tbody');
  const draw = () =>
    fill(
      body,
      message.headers.map(([name, asSent, decoded]) =>
        h(
          'tr',
          {},
          h('th', { scope: 'row' }, visible(name)),
          h('td', { dir: 'auto' }, visible(raw ? asSent.trim() : decoded)),
        ),
      ),
    );
  const toggle = h(
    'button.link',
    {
      type: 'button',
      'aria-pressed': 'false',
      onclick: () => {
        raw = !raw;
        toggle.textContent = raw ? 'Show decoded' : 'Show as sent';
        toggle.setAttribute('aria-pressed', String(raw));
        draw();
      },
    },
    'Show as sent',
  );
  draw();
  fill(
    panel,
    h(
      'div.panel-bar',
      {},
      h('span.soft', {}, plural(message.headers.length, 'field')),
      h('span.grow'),
      toggle,
      copyButton(() => message.headers.map(([name, asSent]) => `${name}:${asSent}`).join('\n'), 'Copy the header'),
    ),
    h('table.headers', {}, body),
  );
}

export function attachmentsTab(panel, message) {
  fill(
    panel,
    h(
      'ul.cards',
      {},
      message.attachments.map((attachment) => {
        const place = api.partUrl(message.id, attachment.part);
        const picture = PICTURES.test(attachment.type) && attachment.size < LARGEST_PICTURE;
        const preview = h('span.preview', {}, icon(attachment.type.startsWith('image/') ? 'image' : 'file'));
        if (picture) {
          const image = h('img', { alt: '', decoding: 'async' });
          image.addEventListener('load', () => fill(preview, image));
          image.src = api.partUrl(message.id, attachment.part, { inline: 1 }); // what is no picture stays an icon
        }
        const name = attachment.filename || `part ${attachment.part}`;
        return h(
          'li',
          {},
          h(
            'a.card',
            { href: place, download: '' },
            preview,
            h('span.card-name', {}, foreign(name)),
            h(
              'span.soft',
              {},
              `${size(attachment.size)} · `,
              foreign(attachment.type),
              attachment.inline && ' · inline',
            ),
            attachment.content_id && h('span.soft.card-id', {}, 'cid:', foreign(attachment.content_id)),
          ),
        );
      }),
    ),
  );
}

export function partsTab(panel, message) {
  fill(panel, h('ul.tree', { 'aria-label': 'MIME parts' }, part(message, message.parts)));
}

function part(message, node) {
  const inner = [...(node.parts || []), ...(node.message ? [node.message] : [])];
  const charset = node.charset || node.params?.charset;
  const facts = [
    node.size !== undefined && size(node.size),
    charset,
    node.encoding,
    node.disposition,
    node.content_id && `cid:${node.content_id}`,
  ];
  return h(
    'li',
    {},
    h(
      'div.part',
      {},
      h('span.part-number', {}, node.part || ''),
      h('b', {}, foreign(node.type)),
      node.filename && foreign(node.filename),
      h('span.soft', {}, foreign(facts.filter(Boolean).join(' · '))),
      node.part &&
        !node.parts &&
        h(
          'a.tool',
          {
            href: api.partUrl(message.id, node.part),
            download: '',
            'aria-label': `Download part ${node.part}`,
            title: 'Download',
          },
          icon('download'),
        ),
    ),
    (node.defects || []).map((defect) => h('p.defect', {}, icon('warn'), foreign(defect))),
    inner.length > 0 &&
      h(
        'ul',
        {},
        inner.map((child) => part(message, child)),
      ),
  );
}

export function linksTab(panel, message) {
  fill(
    panel,
    h('p.panel-note', {}, 'None of them was fetched: the inbox has no network.'),
    h(
      'ol.links',
      {},
      message.links.map(({ url, text }) => {
        const safe = safeUrl(url);
        return h(
          'li',
          {},
          h('span.link-text', {}, text.trim() ? foreign(text) : h('i', {}, 'no text')),
          h('span.link-url', {}, safe ? outward(safe, url) : h('span.bad', {}, icon('warn'), foreign(url))),
          copyButton(url, 'Copy the link'),
        );
      }),
    ),
  );
}

export function checksTab(panel, message) {
  const list = (title, text, items) =>
    items.length > 0 && [h('h2', {}, title), h('p.panel-note', {}, text), h('ul.checks', {}, items)];
  fill(
    panel,
    list(
      'Broken',
      'What the message says about itself and does not keep.',
      message.defects.map((defect) => h('li.bad', {}, icon('warn'), h('div', {}, foreign(defect)))),
    ),
    list(
      'May look different elsewhere',
      'What some mail programs do with the HTML of this message.',
      message.html_notes.map(({ what, why }) =>
        h('li', {}, icon('help'), h('div', {}, h('b', {}, foreign(what)), h('p', {}, foreign(why)))),
      ),
    ),
  );
}
