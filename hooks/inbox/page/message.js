// One message: what it is about, and the tabs that show it from each side.

import * as api from './api.js';
import { htmlTab, sourceTab, textTab } from './bodies.js';
import { askRecipients, fail, toast } from './dialogs.js';
import { dialogueTab } from './dialogue.js';
import { byId, copyButton, fill, foreign, h, hue, icon, tagChip, tool, notice, visible } from './dom.js';
import { count, exactly, sender, size, subject } from './format.js';
import { attachmentsTab, checksTab, headersTab, linksTab, partsTab } from './parts.js';
import { go, route } from './route.js';

// In this order; the keys 1 to 9 go to those that a message has.
const TABS = [
  { name: 'html', title: 'HTML', has: (message) => message.has_html, draw: htmlTab },
  { name: 'text', title: 'Text', has: (message) => message.text !== null, draw: textTab },
  { name: 'attachments', title: 'Attachments', number: (message) => message.attachments.length, draw: attachmentsTab },
  { name: 'smtp', title: 'SMTP', draw: dialogueTab },
  { name: 'headers', title: 'Headers', draw: headersTab },
  { name: 'source', title: 'Source', draw: sourceTab },
  { name: 'parts', title: 'Parts', draw: partsTab },
  { name: 'links', title: 'Links', number: (message) => message.links.length, draw: linksTab },
  {
    name: 'checks',
    title: 'Checks',
    number: (message) => message.html_notes.length + message.defects.length,
    draw: checksTab,
  },
];

const isThere = (tab, message) => (tab.has ? tab.has(message) : tab.number ? tab.number(message) > 0 : true);

export class MessageView {
  // messages: the list beside it. canRelease(): whether the server has somewhere to send messages on to.
  constructor(messages, canRelease) {
    this.messages = messages;
    this.canRelease = canRelease;
    this.pane = byId('message-pane');
  }

  // Shows the message of the route; `focus`: as a reader asked for it, not as the keyboard walked by.
  async show({ focus = false } = {}) {
    const { id } = route;
    this.pane.hidden = !id;
    document.body.classList.toggle('reading', Boolean(id));
    if (!id) {
      this.id = '';
      this.request?.abort();
      return;
    }
    if (id === this.id) {
      this.drawTab();
      return;
    }
    this.id = id;
    this.request?.abort();
    this.request = new AbortController();
    const wait = setTimeout(() => this.pane.classList.add('busy'), 150);
    try {
      const message = await api.message(id, this.request.signal);
      if (id !== this.id) return;
      this.message = message;
      this.draw();
      if (focus) this.pane.querySelector('h1')?.focus({ preventScroll: true });
      if (message.unread) await this.markRead(id);
    } catch (error) {
      if (error.name === 'AbortError' || id !== this.id) return;
      this.message = null;
      fill(
        this.pane,
        this.bar(),
        notice(
          'warn',
          error.status === 404 ? 'This message is gone' : 'This message cannot be had',
          error.status === 404 ? 'It was deleted, or made room for newer ones.' : error.message,
        ),
      );
    } finally {
      clearTimeout(wait);
      if (id === this.id) this.pane.classList.remove('busy');
    }
  }

  // Something was said about these messages: tags, read or not.
  async refresh(ids) {
    if (!this.message || (ids && !ids.includes(this.id))) return;
    const { id } = this;
    const message = await api.message(id).catch(() => null);
    if (id !== this.id || !message) return;
    if (JSON.stringify(message) === JSON.stringify(this.message)) return;
    this.message = message;
    const focused = document.activeElement === this.pane.querySelector('h1');
    this.pane.querySelector('.message-head')?.replaceWith(this.head());
    if (focused) this.pane.querySelector('h1').focus({ preventScroll: true });
  }

  gone(ids) {
    if (this.id && this.id !== this.removing && ids.includes(this.id)) go({ id: '', tab: '' }, { replace: true });
  }

  draw() {
    this.panel = h('div.panel', { role: 'tabpanel', tabindex: 0, id: 'panel' });
    this.tabs = h('div.tabs', { role: 'tablist', 'aria-label': 'Sides of the message' });
    this.tabs.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      this.step(step);
      this.tabs.querySelector('[aria-selected=true]').focus();
    });
    this.drawn = '';
    fill(this.pane, this.bar(), this.head(), this.tabs, this.panel);
    this.drawTab();
  }

  available() {
    return TABS.filter((tab) => isThere(tab, this.message));
  }

  tab() {
    const there = this.available();
    return (
      there.find((tab) => tab.name === route.tab) ||
      there.find((tab) => ['html', 'text'].includes(tab.name)) ||
      there.find((tab) => tab.name === 'source')
    );
  }

  choose(tab) {
    if (tab) go({ tab: tab.name }, { replace: true });
  }

  step(step) {
    const there = this.available();
    this.choose(there[(there.indexOf(this.tab()) + step + there.length) % there.length]);
  }

  drawTab() {
    if (!this.message) return;
    const chosen = this.tab();
    if (this.drawn === chosen.name) return;
    this.drawn = chosen.name;
    fill(
      this.tabs,
      this.available().map((tab) =>
        h(
          'button.tab',
          {
            type: 'button',
            role: 'tab',
            id: `tab-${tab.name}`,
            'aria-controls': 'panel',
            'aria-selected': String(tab === chosen),
            tabindex: tab === chosen ? 0 : -1,
            onclick: () => this.choose(tab),
          },
          tab.title,
          tab.number && h('span.number', {}, count(tab.number(this.message))),
        ),
      ),
    );
    this.tabs.querySelector('[aria-selected=true]').scrollIntoView({ block: 'nearest', inline: 'nearest' });
    this.panel.className = `panel panel-${chosen.name}`;
    this.panel.setAttribute('aria-labelledby', `tab-${chosen.name}`);
    this.panel.scrollTop = 0;
    this.drawing?.abort();
    this.drawing = new AbortController();
    const { panel } = this;
    const { signal } = this.drawing;
    fill(panel);
    Promise.resolve(chosen.draw(panel, this.message, signal)).catch((error) => {
      if (!signal.aborted) fill(panel, notice('warn', 'This cannot be had', error.message));
    });
  }

  bar() {
    const { selection } = this.messages;
    return h(
      'div.message-bar',
      {},
      tool('back', 'Back to the list', () => this.close(), { keys: 'Escape', class: 'tool only-narrow' }),
      tool('down', 'Next message', () => this.messages.rows.move(1), { keys: 'j' }),
      tool('up', 'Previous message', () => this.messages.rows.move(-1), { keys: 'k' }),
      h('span.grow'),
      this.message && this.canRelease() && tool('release', 'Release', () => this.release(), { text: 'Release' }),
      this.message && tool('unread', 'Mark as unread', () => this.markUnread(), { keys: 'u' }),
      this.message && tool('tag', 'Tag', () => selection.tag(this.id), { keys: 't' }),
      this.message && tool('download', 'Download as .eml', () => this.download(), { keys: 'd' }),
      this.message && tool('trash', 'Delete', () => this.remove(), { keys: '#' }),
      tool('close', 'Close', () => this.close(), { keys: 'Esc', class: 'tool only-wide' }),
    );
  }

  head() {
    const { message } = this;
    const avatar = h(
      'span.avatar',
      { 'aria-hidden': 'true' },
      (Array.from(visible(sender(message)).replace(/[^\p{L}\p{N}]/gu, ''))[0] || '?').toUpperCase(),
    );
    avatar.style.setProperty('--hue', hue(message.from?.address || ''));
    return h(
      'header.message-head',
      {},
      h('h1', { tabindex: -1 }, foreign(subject(message))),
      h(
        'div.people',
        {},
        avatar,
        h(
          'dl.envelope',
          {},
          field('From', message.from ? [message.from] : [], 'No From field'),
          field('To', message.to, 'No To field'),
          field('Cc', message.cc),
          field('Bcc', message.bcc),
          field('Reply to', message.reply_to),
          this.envelopeDiffers() && [
            h('dt', {}, 'Envelope'),
            h('dd', {}, foreign(message.envelope.from || '<>'), ' → ', foreign(message.envelope.to.join(', '))),
          ],
        ),
      ),
      h(
        'div.facts',
        {},
        h('time', { datetime: message.received }, exactly(message.received)),
        h('span', {}, size(message.size)),
        message.tls && h('span', { title: 'It came over TLS' }, icon('lock'), 'TLS'),
        message.user && h('span', { title: 'Who sent it has authenticated' }, foreign(message.user)),
        message.injected && h('span', { title: 'It came over the API, not by SMTP' }, 'injected'),
        message.broken && h('span.bad', {}, icon('warn'), 'broken'),
        message.tags.map((tag) => tagChip(tag, () => this.untag(tag))),
      ),
    );
  }

  // Worth a line only if it is not what the header fields say anyway.
  envelopeDiffers() {
    const { envelope, from, to, cc } = this.message;
    const named = new Set([...to, ...cc].map((mailbox) => mailbox.address.toLowerCase()));
    return (
      envelope.from.toLowerCase() !== (from?.address || '').toLowerCase() ||
      envelope.to.length !== named.size ||
      envelope.to.some((recipient) => !named.has(recipient.toLowerCase()))
    );
  }

  close() {
    go({ id: '', tab: '' });
    this.messages.rows.reveal(this.messages.rows.current, { focus: true });
  }

  async markRead(id) {
    await api.act({ ids: [id] }, 'read').catch(fail);
    this.messages.acted({ ids: [id] }, 'read');
    if (id === this.id) this.message.unread = false;
  }

  async markUnread() {
    const { id } = this;
    if (await this.messages.selection.act('unread', { current: id, quiet: true })) this.close();
  }

  async untag(tag) {
    try {
      await api.act({ ids: [this.id] }, 'untag', tag);
      this.messages.acted({ ids: [this.id] }, 'untag', tag);
    } catch (error) {
      fail(error);
    }
  }

  download() {
    this.messages.selection.download('eml', this.id);
  }

  // The next one is read then, or the one before if there is none.
  async remove() {
    const { id } = this;
    const { items } = this.messages;
    const at = items.findIndex((item) => item.id === id);
    const next = at < 0 ? null : items[at + 1] || items[at - 1];
    this.removing = id; // the server may tell of it before it answers
    const done = await this.messages.selection.act('delete', { current: id });
    this.removing = '';
    if (done && this.id === id) go({ id: next?.id || '' }, { replace: true });
  }

  async release() {
    const to = await askRecipients(this.message.envelope.to);
    if (!to) return;
    try {
      await api.release(
        this.id,
        to
          .split(',')
          .map((recipient) => recipient.trim())
          .filter(Boolean),
      );
      toast('Released');
    } catch (error) {
      fail(error);
    }
  }
}

function field(name, mailboxes, otherwise) {
  if (!mailboxes?.length && !otherwise) return null;
  const shown = mailboxes.map((mailbox) =>
    h(
      'span.mailbox',
      {},
      mailbox.name && h('b', {}, foreign(mailbox.name)),
      foreign(mailbox.address),
      copyButton(mailbox.address, `Copy ${visible(mailbox.address)}`),
    ),
  );
  return [h('dt', {}, name), h('dd', {}, shown.length ? shown : h('i', {}, otherwise))];
}
