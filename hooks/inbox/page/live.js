// What happens meanwhile, as the server tells it (server-sent events). Bursts come to the page in lumps.

import { BASE } from './api.js';
import { byId } from './dom.js';

const LUMP = 120;   // ms
const SYNC = 400;   // ms: at most so often is the list compared with the server's
const MOST = 500;   // messages in a lump; with more, comparing is cheaper

// handlers: messages([Summary]), changed(ids), deleted(ids), sync(): look again.
export function follow(handlers) {
  const source = new EventSource(new URL('events', BASE));
  let arrived = [];
  let timer;
  let lost = false;

  const soon = throttled(SYNC, handlers.sync);
  const deliver = () => {
    timer = undefined;
    if (arrived.length <= MOST) handlers.messages(arrived);
    arrived = [];
    soon();
  };
  const on = (name, handler) => source.addEventListener(name, (event) => handler(event.data ? JSON.parse(event.data) : {}));

  on('message', (message) => {
    arrived.push(message);
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
    if (lost) handlers.sync();
    lost = false;
  };
  source.onerror = () => {
    lost = true;
    show('lost', 'Reconnecting');
    if (source.readyState === EventSource.CLOSED) {
      setTimeout(() => follow(handlers), 3000); // the server said no; it may have been started anew meanwhile
      source.close();
    }
  };
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
