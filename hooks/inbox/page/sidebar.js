// Where one can go: all mail, unread, each mailbox, attempts, tags.

import * as api from './api.js';
import { byId, fill, foreign, h, hue, icon, visible } from './dom.js';
import { count, tagTerm } from './format.js';
import { href, route } from './route.js';

export class Sidebar {
  constructor() {
    this.info = { messages: 0, unread: 0, attempts: 0, smtp: [] };
    this.mailboxes = [];
    this.tags = [];
    byId('menu').addEventListener('click', () => this.open(!document.body.classList.contains('menu-open')));
    byId('veil').addEventListener('click', () => this.open(false));
    byId('places').addEventListener('click', () => this.open(false));
  }

  open(is) {
    document.body.classList.toggle('menu-open', is);
    byId('menu').setAttribute('aria-expanded', String(is));
    byId('main').inert = is;
    if (is) byId('places').querySelector('a')?.focus();
    else if (document.activeElement === document.body) byId('menu').focus();
  }

  get isOpen() {
    return document.body.classList.contains('menu-open');
  }

  async load() {
    const [info, mailboxes, tags] = await Promise.all([api.get('info'), api.get('mailboxes'), api.get('tags')]);
    this.info = info;
    this.mailboxes = mailboxes.mailboxes ?? mailboxes;
    this.tags = (tags.tags ?? tags).map((tag) => (typeof tag === 'string' ? { name: tag } : tag));
    byId('hostname').textContent = info.hostname;
    byId('address').textContent = info.smtp.join(', ');
    this.draw();
  }

  draw() {
    const { info } = this;
    const at = (changes) => ({ view: 'messages', query: '', mailbox: '', id: '', tab: '', ...changes });
    const several = this.mailboxes.length > 1;
    fill(
      byId('places'),
      place('inbox', 'All mail', at({}), info.messages),
      place('unread', 'Unread', at({ query: 'is:unread' }), info.unread, 'new'),
      place('attempts', 'Attempts', at({ view: 'attempts' }), info.attempts),
      several && [
        h('h2', {}, 'Mailboxes'),
        this.mailboxes.map((mailbox) =>
          place('box', mailbox.name, at({ mailbox: mailbox.name }), mailbox.unread ?? mailbox.messages),
        ),
      ],
      this.tags.length > 0 && [
        h('h2', {}, 'Tags'),
        this.tags.map((tag) => place('', tag.name, at({ query: tagTerm(tag.name) }), tag.messages)),
      ],
    );
    document.title = `${info.unread ? `(${count(info.unread)}) ` : ''}Inbox · ${visible(info.hostname || 'hooksmtpd')}`;
  }
}

function place(name, title, to, number, kind = '') {
  const here =
    to.view === route.view && (to.view === 'attempts' || (to.query === route.query && to.mailbox === route.mailbox));
  const dot = h('i.tag-dot', { 'aria-hidden': 'true' });
  dot.style.setProperty('--hue', hue(title));
  return h(
    'a.place',
    { href: href(to), 'aria-current': here ? 'page' : null },
    name ? icon(name) : dot,
    h('span.place-name', {}, foreign(title)),
    number > 0 && h(`span.place-count${kind && `.${kind}`}`, {}, count(number)),
  );
}
