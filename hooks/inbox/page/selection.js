// Which messages are ticked, and the bar of what can be done with them.

import * as api from './api.js';
import { h, tool } from './dom.js';
import { askTag, confirm, fail, toast } from './dialogs.js';
import { count, plural } from './format.js';

export class Selection {
  // messages: of messages.js. changed(): something is ticked, or no longer.
  constructor(messages, changed) {
    this.messages = messages;
    this.changed = changed;
    this.ids = new Set();
    this.all = false; // also those that match and are not loaded
  }

  get size() {
    return this.all ? this.messages.total : this.ids.size;
  }

  has(id) {
    return this.all || this.ids.has(id);
  }

  clear() {
    this.ids.clear();
    this.all = false;
    this.anchor = undefined;
    this.changed();
  }

  toggle(id, { range = false } = {}) {
    if (this.all) {
      this.all = false;
      this.ids = new Set(this.messages.items.map((item) => item.id));
    }
    if (range && this.anchor && this.anchor !== id) {
      this.addRange(this.anchor, id);
    } else if (!this.ids.delete(id)) {
      this.ids.add(id);
    }
    this.anchor = id;
    this.changed();
  }

  addRange(from, to) {
    const places = [from, to]
      .map((id) => this.messages.items.findIndex((item) => item.id === id))
      .sort((a, b) => a - b);
    if (places[0] < 0) return;
    for (const item of this.messages.items.slice(places[0], places[1] + 1)) this.ids.add(item.id);
  }

  toggleLoaded() {
    const items = this.messages.items;
    const full = this.ids.size === items.length;
    this.all = false;
    this.ids = new Set(full ? [] : items.map((item) => item.id));
    this.changed();
  }

  selectAll() {
    this.all = true;
    this.changed();
  }

  // What an action is about: the ticked ones, else the message given.
  which(current) {
    if (this.all) return { query: this.messages.wholeQuery() };
    const ids = this.ids.size ? [...this.ids] : current ? [current] : [];
    return ids.length ? { ids } : null;
  }

  retain(items) {
    const there = new Set(items);
    for (const id of this.ids) {
      if (!there.has(id)) this.ids.delete(id);
    }
  }

  async act(action, { current, tag, quiet = false } = {}) {
    const which = this.which(current);
    if (!which) return false;
    const number = which.ids ? which.ids.length : this.messages.total;
    if (
      action === 'delete' &&
      number > 1 &&
      !(await confirm(`Delete ${plural(number, 'message')}?`, 'They are gone for good.', 'Delete'))
    )
      return false;
    try {
      await api.act(which, action, tag);
    } catch (error) {
      fail(error);
      return false;
    }
    this.messages.acted(which, action, tag);
    if (action === 'delete') this.clear();
    if (!quiet) toast(said(action, number, tag));
    return true;
  }

  async tag(current) {
    if (!this.which(current)) return;
    const tag = await askTag(this.messages.tags);
    if (tag) await this.act('tag', { current, tag });
  }

  // As a file: of one message its own octets, of several a ZIP or mbox file.
  async download(format, current) {
    const which = this.which(current);
    if (!which) return;
    const place =
      which.ids?.length === 1 && format === 'eml'
        ? [`messages/${which.ids[0]}/raw`]
        : ['export', { format, ...(which.ids ? { ids: which.ids.join(',') } : which) }];
    try {
      await api.check(...place);
    } catch (error) {
      return fail(error);
    }
    const link = h('a', { href: api.url(...place), download: '' });
    document.body.append(link);
    link.click();
    link.remove();
  }

  bar() {
    const { total, items } = this.messages;
    const more = !this.all && total > items.length && this.ids.size === items.length;
    return [
      h('strong.bar-count', {}, `${count(this.size)} selected`),
      more && h('button.link', { type: 'button', onclick: () => this.selectAll() }, `Select all ${count(total)}`),
      h('span.grow'),
      tool('read', 'Mark as read', () => this.act('read'), { keys: 'e' }),
      tool('unread', 'Mark as unread', () => this.act('unread'), { keys: 'u' }),
      tool('tag', 'Tag', () => this.tag(), { keys: 't' }),
      downloads((format) => this.download(format)),
      tool('trash', 'Delete', () => this.act('delete'), { keys: '#' }),
      tool('close', 'Clear the selection', () => this.clear(), { keys: 'Esc' }),
    ];
  }
}

function said(action, number, tag) {
  const what = plural(number, 'message');
  return {
    delete: `${what} deleted`,
    read: `${what} marked as read`,
    unread: `${what} marked as unread`,
    tag: `${what} tagged “${tag}”`,
    untag: `Tag “${tag}” removed from ${what}`,
  }[action];
}

function downloads(pick) {
  const choice = (format, text) =>
    h(
      'button',
      {
        type: 'button',
        role: 'menuitem',
        onclick: () => {
          menu.open = false;
          pick(format);
        },
      },
      text,
    );
  const menu = h(
    'details.menu',
    {},
    h('summary.tool', { title: 'Download', 'aria-label': 'Download' }, tool('download', '').firstChild),
    h('div.menu-list', { role: 'menu' }, choice('zip', 'ZIP of .eml files'), choice('mbox', 'mbox')),
  );
  menu.addEventListener('focusout', (event) => {
    if (!menu.contains(event.relatedTarget)) menu.open = false;
  });
  return menu;
}
