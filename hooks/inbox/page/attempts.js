// Sessions that brought no message: refused, broken off, or only looked around. With the reason of each.

import * as api from './api.js';
import { drawSession, outcomeKind } from './dialogue.js';
import { byId, fill, foreign, h, tool, notice, visible } from './dom.js';
import { fail } from './dialogs.js';
import { count, exactly, when } from './format.js';
import { go, route } from './route.js';
import { Rows } from './rows.js';

export class Attempts {
  constructor() {
    this.rows = new Rows(byId('list'), {
      label: 'Attempts',
      height: { wide: 38, narrow: 76 },
      key: (session) => session.id,
      draw: (session) => this.draw(session),
      decorate: (element, session) => element.classList.toggle('open', session.id === route.id),
      nearEnd: () => this.more(),
      moved: (session) => route.id && go({ id: session.id }, { replace: true }),
    });
    byId('list').addEventListener('click', (event) => {
      const row = event.target.closest('.row.attempt');
      if (!row) return;
      this.rows.reveal(row.dataset.key, { focus: true });
      go({ id: row.dataset.key });
    });
    this.pane = byId('message-pane');
  }

  async load() {
    try {
      const { sessions, next } = await api.get('sessions', { attempts: true, limit: api.PAGE });
      this.next = next;
      this.set(sessions);
    } catch (error) {
      fail(error);
    }
  }

  async more() {
    if (!this.next || this.loading) return;
    this.loading = true;
    const { sessions, next } = await api
      .get('sessions', { attempts: true, limit: api.PAGE, cursor: this.next })
      .catch(() => ({ sessions: [], next: null }));
    this.loading = false;
    this.next = next;
    this.set([...this.rows.items, ...sessions]);
  }

  set(sessions) {
    this.rows.set(sessions);
    if (route.view !== 'attempts') return;
    const bar = byId('list-bar');
    bar.classList.remove('selecting');
    byId('list-pane').classList.remove('is-empty');
    fill(
      bar,
      h(
        'span.bar-text',
        {},
        h('strong', {}, 'Attempts'),
        sessions.length > 0 && ` ${count(sessions.length)}${this.next ? '+' : ''}`,
      ),
    );
    if (sessions.length) this.rows.show();
    else
      fill(
        this.rows.list,
        notice('attempts', 'Nothing was refused', 'Sessions that end without a message appear here, with the reason.'),
      );
    this.rows.render();
  }

  draw(session) {
    const reason =
      session.reason ||
      { 'broken off': 'The client closed the connection', 'no mail': 'No message was sent' }[session.outcome] ||
      '';
    const people =
      [session.from ?? '', (session.to || []).join(', ')].filter(Boolean).join(' → ') || session.helo || 'said nothing';
    return h(
      'div.row.attempt',
      { 'aria-label': [session.outcome, reason, people, exactly(session.began)].map(visible).join(', ') },
      h(`span.outcome.is-${outcomeKind[session.outcome] || 'none'}`, { role: 'gridcell' }, visible(session.outcome)),
      h('span.who', { role: 'gridcell' }, foreign(session.client?.ip || 'unix socket')),
      h(
        'span.what',
        { role: 'gridcell' },
        h('span.subject', {}, foreign(reason)),
        h('span.snippet', {}, foreign(people)),
      ),
      h(
        'span.marks',
        { role: 'gridcell' },
        session.hook && h('span.hook', { title: 'The hook that refused it' }, foreign(session.hook)),
      ),
      h('time', { role: 'gridcell', datetime: session.began, title: exactly(session.began) }, when(session.began)),
    );
  }

  async show({ focus = false } = {}) {
    const { id } = route;
    this.pane.hidden = !id;
    document.body.classList.toggle('reading', Boolean(id));
    this.rows.soon();
    if (!id) return;
    try {
      const { entries, ...session } = await api.get(`sessions/${encodeURIComponent(id)}`);
      if (id !== route.id) return;
      fill(
        this.pane,
        this.bar(),
        h(
          'header.message-head',
          {},
          h(
            'h1',
            { tabindex: -1 },
            foreign(
              session.reason ||
                { 'broken off': 'The client closed the connection' }[session.outcome] ||
                'No message was sent',
            ),
          ),
          h(
            'div.facts',
            {},
            h(`span.outcome.is-${outcomeKind[session.outcome] || 'none'}`, {}, visible(session.outcome)),
            session.hook && h('span', {}, 'refused by the hook ', h('b', {}, foreign(session.hook))),
            session.from !== null &&
              session.from !== undefined &&
              session.to?.length > 0 &&
              h('span', {}, foreign(session.from || '<>'), ' → ', foreign(session.to.join(', '))),
          ),
        ),
        h('div.panel.panel-smtp', { tabindex: 0 }, drawSession(session, entries)),
      );
      if (focus) this.pane.querySelector('h1').focus({ preventScroll: true });
    } catch (error) {
      if (id === route.id) fill(this.pane, this.bar(), notice('warn', 'This session cannot be had', error.message));
    }
  }

  bar() {
    return h(
      'div.message-bar',
      {},
      tool('back', 'Back to the list', () => this.close(), { keys: 'Escape', class: 'tool only-narrow' }),
      tool('down', 'Next attempt', () => this.rows.move(1), { keys: 'j' }),
      tool('up', 'Previous attempt', () => this.rows.move(-1), { keys: 'k' }),
      h('span.grow'),
      tool('close', 'Close', () => this.close(), { keys: 'Esc', class: 'tool only-wide' }),
    );
  }

  close() {
    go({ id: '' });
    this.rows.reveal(this.rows.current, { focus: true });
  }
}
