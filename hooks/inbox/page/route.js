// Where the page is: in the fragment of its address, so that a reload, a bookmark and the back button all work.
//
//   #/                      the list                 #/?query=from:ann&mailbox=shop
//   #/ID?tab=source         a message beside it      #/attempts, #/attempts/ID

const listeners = [];

function read() {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
  const parameters = new URLSearchParams(query);
  const [first, second] = path.split('/').map(decodeURIComponent);
  const attempts = first === 'attempts';
  return {
    view: attempts ? 'attempts' : 'messages',
    id: (attempts ? second : first) || '',
    query: parameters.get('query') || '',
    mailbox: parameters.get('mailbox') || '',
    tab: parameters.get('tab') || '',
  };
}

export let route = read();

export function href(changes) {
  const to = { ...route, ...changes };
  const path = [to.view === 'attempts' && 'attempts', to.id].filter(Boolean).map(encodeURIComponent).join('/');
  const parameters = new URLSearchParams();
  for (const key of ['query', 'mailbox', 'tab']) {
    if (to[key]) parameters.set(key, to[key]);
  }
  return `#/${path}${parameters.size ? `?${parameters}` : ''}`;
}

function changed() {
  const before = route;
  route = read();
  for (const listener of listeners) listener(route, before);
}

// `replace`: no step for the back button, as for each letter of a search.
export function go(changes, { replace = false } = {}) {
  const to = href(changes);
  if (to === (location.hash || '#/')) return;
  history[replace ? 'replaceState' : 'pushState'](null, '', to);
  changed();
}

export function onRoute(listener) {
  listeners.push(listener);
}

window.addEventListener('popstate', changed); // comes for a changed fragment, too
