// What happens meanwhile, as the server tells it (server-sent events). Bursts come to the page in lumps.

import { BASE } from './api.js';
import { byId } from './dom.js';

const LUMP = 120; // ms
const SYNC = 400; // ms: at most so often is the list compared with the server's
const MOST = 500; // messages in a lump; with more, comparing is cheaper
const REFUSED = 3000; // ms until it asks again
const UNSEEN = 300000; // ms: then a tab in the background lets go of its connection, of which a browser has six

// handlers: messages([Summary]), changed(ids), deleted(ids), sync(): look again.
export function follow(handlers) {
  let source;
  let timer;
  const start = () => {
    source = listen(handlers, () => setTimeout(() => source && start(), REFUSED));
  };
  start();
  document.addEventListener('visibilitychange', () => {
    clearTimeout(timer);
    if (document.hidden) {
      timer = setTimeout(() => {
        source.close();
        source = null;
      }, UNSEEN);
    } else if (!source) {
      start();
    }
  });
}

function listen(handlers, refused) {
  const source = new EventSource(new URL('events', BASE));
  let arrived = [];
  let timer;

  const soon = throttled(SYNC, handlers.sync);
  const deliver = () => {
    timer = undefined;
    if (arrived.length <= MOST) handlers.messages(arrived);
    arrived = [];
    soon();
  };
  const on = (name, handler) =>
    source.addEventListener(name, (event) => handler(event.data ? JSON.parse(event.data) : {}));

  on('message', (message) => {
    if (arrived.length <= MOST) arrived.push(message);
    timer ??= setTimeout(deliver, LUMP);
  });
  on('update', ({ ids }) => {
    handlers.changed(ids);
    soon();
  });
  on('delete', ({ ids }) => {
    handlers.deleted(ids || []);
    soon();
  });
  on('session', soon);
  source.onopen = () => {
    show('live', 'Live');
    handlers.sync(); // what came before is not told again
  };
  source.onerror = () => {
    show('lost', 'Reconnecting');
    if (source.readyState === EventSource.CLOSED) refused(); // the browser itself tries again only where nobody answers
  };
  return source;
}

// At once, and then at most every `pause` ms.
function throttled(pause, run) {
  let waiting = false;
  let again = false;
  const once = () => {
    waiting = true;
    again = false;
    run();
    setTimeout(() => {
      waiting = false;
      if (again) once();
    }, pause);
  };
  return () => {
    if (waiting) again = true;
    else once();
  };
}

function show(state, text) {
  byId('state').dataset.state = state;
  if (byId('state-text').textContent !== text) byId('state-text').textContent = text;
}
