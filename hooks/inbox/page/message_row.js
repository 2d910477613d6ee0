// A message as one row of the list, with all of it in words for who hears it.

import { foreign, h, icon, tagChip, visible } from './dom.js';
import { exactly, plural, sender, size, subject, when } from './format.js';
import { href } from './route.js';

const TAGS = 3; // there is no room for more

export function drawRow(message) {
  const tick = h(
    'span.tick',
    { role: 'gridcell' },
    h('input', { type: 'checkbox', tabindex: -1, 'aria-label': 'Select' }),
  );
  const facts = [
    message.unread && 'Unread',
    sender(message),
    subject(message),
    message.attachments && plural(message.attachments, 'attachment'),
    ...message.tags,
    exactly(message.received),
  ];
  return h(
    `div.row.message${message.unread ? '.unread' : ''}`,
    { 'aria-label': facts.filter(Boolean).map(visible).join(', ') },
    tick,
    h('span.dot', { title: message.unread ? 'Unread' : null }),
    h('span.who', { role: 'gridcell' }, foreign(sender(message))),
    h(
      'span.what',
      { role: 'gridcell' },
      h(
        'a.subject',
        { href: href({ view: 'messages', id: message.id }), tabindex: -1, draggable: 'false' },
        foreign(subject(message)),
      ),
      h('span.snippet', {}, foreign(message.snippet)),
    ),
    h(
      'span.marks',
      { role: 'gridcell' },
      message.broken && h('span.mark', { title: 'The message is broken' }, icon('warn')),
      message.tags.slice(0, TAGS).map((tag) => tagChip(tag)),
      message.attachments > 0 &&
        h('span.clip', { title: plural(message.attachments, 'attachment') }, icon('clip'), String(message.attachments)),
    ),
    h('span.size', { role: 'gridcell' }, size(message.size)),
    h(
      'time',
      { role: 'gridcell', datetime: message.received, title: exactly(message.received) },
      when(message.received),
    ),
  );
}
