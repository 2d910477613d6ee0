// The page as a whole: builds its parts, and says what each key and each piece of news means to them.

import { Attempts } from './attempts.js';
import { byId } from './dom.js';
import { fail } from './dialogs.js';
import { help, listen } from './keys.js';
import { follow } from './live.js';
import { MessageView } from './message.js';
import { Messages } from './messages.js';
import { go, onRoute, route } from './route.js';
import { Search } from './search.js';
import { Sidebar } from './sidebar.js';
import { welcome } from './welcome.js';

const sidebar = new Sidebar();
const messages = new Messages({ opened: read, empty: (element) => welcome(element, sidebar.info.smtp) });
const view = new MessageView(messages, () => sidebar.info.release);
const attempts = new Attempts();
const search = new Search(() => messages.tags);

const listing = () => (route.view === 'attempts' ? attempts : messages);
const rows = () => listing().rows;
const detail = () => (route.view === 'attempts' ? attempts : view);

// From the list: the reader goes into the message, unless it is open beside the list already.
function read(id) {
  const focus = !route.id && !document.activeElement?.closest?.('.message-pane');
  go({ view: 'messages', id }, { replace: Boolean(route.id) });
  if (focus || narrow.matches) wantFocus = true;
}

let wantFocus = false;
const narrow = matchMedia('(max-width: 899px)');

async function counts() {
  await sidebar.load();
  messages.tags = sidebar.tags.map((tag) => tag.name);
  if (route.view === 'messages' && !messages.items.length) messages.refresh(); // the welcome names our address
}

const keys = {
  next: () => step(1),
  previous: () => step(-1),
  first: () => rows().items.length && rows().move(-Infinity),
  last: () => rows().items.length && rows().move(Infinity),
  openCurrent() {
    const item = rows().currentItem();
    if (!item) return;
    wantFocus = true;
    if (route.id === item.id) byId('message-pane').querySelector('h1')?.focus();
    else go({ id: item.id });
  },
  back() {
    if (sidebar.isOpen) sidebar.open(false);
    else if (route.id) detail().close();
    else if (messages.selection.size) messages.selection.clear();
    else if (route.query || route.mailbox) go({ query: '', mailbox: '' });
  },
  search: () => search.focus(),
  reload: () => refresh(),
  toInbox: () => go({ view: 'messages', query: '', mailbox: '', id: '', tab: '' }),
  toUnread: () => go({ view: 'messages', query: 'is:unread', mailbox: '', id: '', tab: '' }),
  toAttempts: () => go({ view: 'attempts', query: '', mailbox: '', id: '', tab: '' }),
  tick: () => ofMessages((id) => messages.selection.toggle(id)),
  tickRange: () => ofMessages((id) => messages.selection.toggle(id, { range: true })),
  tickAll: () => ofMessages(() => messages.selection.toggleLoaded()),
  markRead: () => ofMessages((id) => messages.selection.act('read', { current: id, quiet: !messages.selection.size })),
  markUnread: () =>
    ofMessages((id) =>
      route.id && !messages.selection.size
        ? view.markUnread()
        : messages.selection.act('unread', { current: id, quiet: !messages.selection.size }),
    ),
  tag: () => ofMessages((id) => messages.selection.tag(id)),
  download: () => ofMessages((id) => messages.selection.download(messages.selection.size ? 'zip' : 'eml', id)),
  remove: () =>
    ofMessages((id) =>
      route.id && !messages.selection.size ? view.remove() : messages.selection.act('delete', { current: id }),
    ),
  tabNumber: (key) => view.message && route.id && view.choose(view.available()[key - 1]),
  nextTab: () => view.message && route.id && view.step(1),
  previousTab: () => view.message && route.id && view.step(-1),
  nextWidth: () => view.panel?.nextWidth?.(),
  help,
};

// The first step only shows where one is.
function step(by) {
  rows().move(document.activeElement === document.body && !route.id ? 0 : by);
}

function ofMessages(run) {
  if (route.view === 'messages') run(route.id || messages.rows.current);
}

async function refresh() {
  await Promise.all([route.view === 'attempts' ? attempts.load() : messages.sync(), counts().catch(() => {})]);
}

onRoute((now, before) => {
  search.show();
  sidebar.draw();
  if (now.view !== before.view) {
    byId('list').replaceChildren();
    byId('list').scrollTop = 0;
  }
  if (now.view === 'attempts') {
    if (before.view !== 'attempts') attempts.load();
    attempts.show({ focus: wantFocus });
  } else {
    if (now.query !== before.query || now.mailbox !== before.mailbox || before.view !== 'messages') messages.load();
    else messages.refresh();
    if (now.id && messages.rows.at(now.id)) messages.rows.reveal(now.id);
    view.show({ focus: wantFocus });
  }
  wantFocus = false;
});

listen(keys);
byId('help-button').addEventListener('click', help);
byId('skip').addEventListener('click', (event) => {
  event.preventDefault(); // the fragment is the route
  rows().reveal(rows().current, { focus: true });
});
search.done = () => (rows().items.length ? rows().reveal(rows().current, { focus: true }) : search.input.blur());
search.show();
sidebar.draw();
(route.view === 'attempts' ? attempts : messages).load();
if (route.id) detail().show();
counts().catch(fail);
follow({
  messages: (arrived) => messages.add(arrived),
  changed: (ids) => view.refresh(ids),
  deleted(ids) {
    messages.remove(ids);
    view.gone(ids);
  },
  sync: refresh,
});
