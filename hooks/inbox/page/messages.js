// The list of messages: what is loaded of it, how it looks, and how it follows what happens.

import * as api from './api.js';
import { byId, fill, h, icon, notice, visible } from './dom.js';
import { fail, speak } from './dialogs.js';
import { count, plural, sender, subject } from './format.js';
import { drawRow } from './message_row.js';
import { go, route } from './route.js';
import { Rows } from './rows.js';
import { Selection } from './selection.js';

const MANY = 5000; // loaded messages: beyond that the list begins anew at its top

export class Messages {
  // opened(message): somebody wants to read it. empty(list): there is nothing to show, and nothing was searched for.
  constructor({ opened, empty }) {
    Object.assign(this, { items: [], total: 0, unread: 0, next: null, tags: [], empty });
    this.selection = new Selection(this, () => this.refresh());
    this.rows = new Rows(byId('list'), {
      label: 'Messages',
      height: { wide: 38, narrow: 76 },
      key: (message) => message.id,
      draw: (message) => this.draw(message),
      decorate: (element, message) => this.decorate(element, message),
      nearEnd: () => this.more(),
      moved: (message) => route.id && opened(message.id),
    });
    this.rows.list.addEventListener('click', (event) => this.clicked(event, opened));
    byId('arrivals').addEventListener('click', () => this.toTop());
    this.rows.list.addEventListener('scroll', () => this.rows.list.scrollTop < 20 && this.arrived(0), {
      passive: true,
    });
  }

  // --- loading

  // Another search or mailbox: from the top.
  async load() {
    this.request?.abort();
    this.request = new AbortController();
    this.busy(true);
    try {
      const page = await api.list(route, '', this.request.signal);
      this.selection.clear();
      this.take(page.messages, page);
      this.rows.list.scrollTop = 0;
      this.rows.restart(route.id);
      this.problem = null;
      this.searched = route.query;
      this.arrived(0);
      if (route.query) speak(plural(page.total, 'message'));
    } catch (error) {
      if (error.name === 'AbortError') return;
      this.problem = error;
      if (error.status !== 400) this.take([], { total: 0, unread: 0, next: null }); // else what was found before stays
    }
    this.busy(false);
    this.refresh();
  }

  // beyond: there are more than `total`; the server does not count for long.
  take(items, { total, unread, next, more_than_total: beyond = this.beyond }) {
    Object.assign(this, { items, total, unread, next, beyond });
    this.rows.set(items);
  }

  async more() {
    if (!this.next || this.loadingMore) return;
    this.loadingMore = true;
    const request = this.request;
    try {
      const page = await api.list(route, this.next, request?.signal);
      if (request !== this.request) return;
      const there = new Set(this.items.map((item) => item.id));
      this.take([...this.items, ...page.messages.filter((item) => !there.has(item.id))], page);
    } catch (error) {
      fail(error);
    } finally {
      this.loadingMore = false;
    }
    this.refresh();
  }

  // Compares the top of the list with the server's: after events, and after a connection was lost.
  async sync() {
    const request = this.request;
    let page;
    try {
      page = await api.list(route, '', request?.signal);
    } catch {
      return; // the line "Reconnecting" says so
    }
    if (request !== this.request) return;
    const last = page.messages.at(-1);
    const older =
      this.items.length > MANY || !page.next
        ? []
        : this.items.slice(this.items.findIndex((item) => item.id === last.id) + 1 || this.items.length);
    const known = new Map(this.items.map((item) => [item.id, item]));
    const top = page.messages.map((item) => (same(known.get(item.id), item) ? known.get(item.id) : item));
    const added = top.findIndex((item) => known.has(item.id));
    const fresh = top.slice(0, added < 0 && this.items.length ? 0 : added < 0 ? top.length : added);
    if (this.searched !== undefined) this.announce(fresh);
    this.take([...top, ...older], { ...page, next: older.length ? this.next : page.next });
    if (fresh.length) this.keepPlace(fresh.length);
    this.refresh();
  }

  busy(is) {
    this.rows.list.setAttribute('aria-busy', is);
    byId('list-pane').classList.toggle('busy', is);
  }

  // --- what happens

  // They have come, newest last. In a search or a mailbox the server decides whether they belong.
  add(messages) {
    if (route.query || route.mailbox || this.problem) return;
    const there = new Set(this.items.slice(0, 500).map((item) => item.id));
    const fresh = messages.filter((message) => !there.has(message.id)).reverse();
    if (!fresh.length) return;
    this.announce(fresh);
    this.take([...fresh, ...this.items], {
      total: this.total + fresh.length,
      unread: this.unread + fresh.filter((m) => m.unread).length,
      next: this.next,
    });
    this.keepPlace(fresh.length);
    this.refresh();
  }

  // To who sees and who hears; before they are drawn.
  announce(fresh) {
    if (!fresh.length) return;
    this.fresh = new Set(fresh.map((message) => message.id));
    speak(
      fresh.length > 1
        ? `${count(fresh.length)} new messages`
        : `New message from ${sender(fresh[0])}: ${subject(fresh[0])}`,
    );
  }

  keepPlace(rows) {
    if (this.rows.list.scrollTop < this.rows.rowHeight / 2) return;
    this.rows.render();
    this.rows.shift(rows);
    this.arrived((this.above || 0) + rows);
  }

  arrived(number) {
    this.above = number;
    byId('arrivals').hidden = !number;
    if (number) fill(byId('arrivals'), icon('up'), plural(number, 'new message'));
  }

  toTop() {
    this.rows.list.scrollTo({ top: 0 });
    this.arrived(0);
    if (this.items[0]) this.rows.reveal(this.items[0].id, { focus: true });
  }

  remove(ids) {
    const gone = new Set(ids);
    const left = this.items.filter((item) => !gone.has(item.id));
    const number = this.items.length - left.length;
    if (!number) return;
    this.take(left, { total: Math.max(left.length, this.total - number), unread: this.unread, next: this.next });
    this.selection.retain(left.map((item) => item.id));
    this.refresh();
  }

  change(id, change) {
    this.take(
      this.items.map((item) => (item.id === id ? { ...item, ...change(item) } : item)),
      this,
    );
    this.refresh();
  }

  // One of the page's own actions was carried out.
  acted(which, action, tag) {
    const chosen = which.ids && new Set(which.ids);
    if (action === 'delete') return chosen ? this.remove(which.ids) : this.load();
    const effect = {
      read: () => ({ unread: false }),
      unread: () => ({ unread: true }),
      tag: (item) => ({ tags: [...item.tags.filter((other) => other !== tag), tag] }),
      untag: (item) => ({ tags: item.tags.filter((other) => other !== tag) }),
    }[action];
    this.take(
      this.items.map((item) => (!chosen || chosen.has(item.id) ? { ...item, ...effect(item) } : item)),
      this,
    );
    this.refresh();
    return undefined;
  }

  // The search and the mailbox as one query, for what is done with everything that matches.
  wholeQuery() {
    const mailbox = route.mailbox && `mailbox:"${route.mailbox.replaceAll('"', '')}"`;
    return [route.query, mailbox].filter(Boolean).join(' ');
  }

  // --- how it looks

  draw(message) {
    const row = drawRow(message);
    if (this.fresh?.has(message.id)) row.classList.add('fresh');
    return row;
  }

  decorate(element, message) {
    const ticked = this.selection.has(message.id);
    element.classList.toggle('ticked', ticked);
    element.classList.toggle('open', message.id === route.id);
    element.setAttribute('aria-selected', ticked);
    element.querySelector('input').checked = ticked;
  }

  clicked(event, opened) {
    const row = event.target.closest('.row.message');
    if (!row) return;
    const id = row.dataset.key;
    if (event.target.closest('.tick')) {
      if (event.target.matches('.tick')) event.preventDefault();
      this.selection.toggle(id, { range: event.shiftKey });
      this.rows.reveal(id);
      return;
    }
    if (event.ctrlKey || event.metaKey) {
      if (event.target.closest('a')) return; // another tab
      this.selection.toggle(id);
      return;
    }
    event.preventDefault();
    if (event.shiftKey) {
      this.selection.toggle(id, { range: true });
      return;
    }
    this.rows.reveal(id);
    opened(id);
  }

  refresh() {
    if (route.view !== 'messages') return;
    this.bar();
    const nothing = this.items.length === 0;
    if (!nothing) this.rows.show();
    else if (this.problem)
      fill(
        this.rows.list,
        notice(
          'warn',
          this.problem.status === 400 ? 'That search is not understood' : 'The list cannot be had',
          this.problem.message,
        ),
      );
    else if (route.query)
      fill(
        this.rows.list,
        notice(
          'search',
          'Nothing found',
          'No message matches this search.',
          h('button.button', { type: 'button', onclick: () => go({ query: '' }) }, 'Clear the search'),
        ),
      );
    else if (route.mailbox && this.searched !== undefined)
      fill(
        this.rows.list,
        notice('box', 'Nothing here yet', `Messages for the mailbox “${route.mailbox}” will appear here.`),
      );
    else if (this.searched !== undefined) this.empty(this.rows.list);
    byId('list-pane').classList.toggle(
      'is-empty',
      nothing && !route.query && !this.problem && this.searched !== undefined,
    );
    if (!nothing) this.rows.render();
  }

  bar() {
    const bar = byId('list-bar');
    bar.classList.toggle('selecting', this.selection.size > 0);
    const all = h('input', {
      type: 'checkbox',
      'aria-label': 'Select all',
      title: 'Select all (*)',
      onclick: () => this.selection.toggleLoaded(),
    });
    all.checked = this.items.length > 0 && this.selection.size >= this.items.length;
    all.indeterminate = this.selection.size > 0 && !all.checked;
    const focused = document.activeElement?.parentElement?.parentElement === bar;
    fill(
      bar,
      this.items.length > 0 && h('label.tick', {}, all),
      this.selection.size > 0 ? this.selection.bar() : this.summary(),
    );
    if (focused) all.focus();
  }

  summary() {
    if (this.problem?.status === 400)
      return h('span.bar-problem', { role: 'alert' }, icon('warn'), this.problem.message);
    if (this.searched === undefined) return [];
    return [
      h(
        'span.bar-text',
        {},
        h('strong', {}, place()),
        this.total > 0 && ` ${count(this.total)}${this.beyond ? '+' : ''}`,
        this.unread > 0 && ` · ${count(this.unread)} unread`,
      ),
      h('span.grow'),
      this.unread > 0 && h('button.link', { type: 'button', onclick: () => this.markAll() }, 'Mark all read'),
    ];
  }

  async markAll() {
    try {
      await api.act({ query: [this.wholeQuery(), 'is:unread'].filter(Boolean).join(' ') }, 'read');
      this.acted({ query: '' }, 'read');
      this.sync();
    } catch (error) {
      fail(error);
    }
  }
}

function place() {
  if (route.query === 'is:unread' && !route.mailbox) return 'Unread';
  if (route.query) return 'Found';
  return route.mailbox ? visible(route.mailbox) : 'All mail';
}

const same = (a, b) => a && JSON.stringify(a) === JSON.stringify(b);
