// The keyboard: one table, which the help shows too.

import { isOpen, open } from './dialogs.js';
import { h } from './dom.js';

// [keys, what it does, the page's method]; a pair of keys is typed one after the other.
const KEYS = [
  [
    'Move',
    [
      [['j', 'ArrowDown'], 'Next message', 'next'],
      [['k', 'ArrowUp'], 'Previous message', 'previous'],
      [['Enter', 'o'], 'Open it', 'openCurrent'],
      [['Escape'], 'Back', 'back'],
      [['Home'], 'First', 'first'],
      [['End'], 'Last that is loaded', 'last'],
      [['g i'], 'All mail', 'toInbox'],
      [['g u'], 'Unread', 'toUnread'],
      [['g a'], 'Attempts', 'toAttempts'],
    ],
  ],
  [
    'Find',
    [
      [['/'], 'Search', 'search'],
      [['r'], 'Look again', 'reload'],
    ],
  ],
  [
    'Act',
    [
      [['x'], 'Select', 'tick'],
      [['X'], 'Select up to here', 'tickRange'],
      [['*'], 'Select all', 'tickAll'],
      [['e'], 'Mark as read', 'markRead'],
      [['u'], 'Mark as unread', 'markUnread'],
      [['t'], 'Tag', 'tag'],
      [['d'], 'Download', 'download'],
      [['#', 'Delete'], 'Delete', 'remove'],
    ],
  ],
  [
    'Read',
    [
      [['1', '2', '3', '4', '5', '6', '7', '8', '9'], 'A tab', 'tabNumber'],
      [[']'], 'Next tab', 'nextTab'],
      [['['], 'Previous tab', 'previousTab'],
      [['w'], 'Phone, tablet, desktop', 'nextWidth'],
      [['?'], 'This help', 'help'],
    ],
  ],
];

const NAMES = { ArrowDown: '↓', ArrowUp: '↑', Escape: 'Esc', 1: '1 … 9' };
const actions = new Map(
  KEYS.flatMap(([, rows]) => rows.flatMap(([keys, , action]) => keys.map((key) => [key, action]))),
);
const PAUSE = 1000; // ms between the keys of a pair

export function listen(page) {
  let first = '';
  let timer;
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.isComposing || isOpen())
      return;
    const { target, key } = event;
    if (target.matches('input:not([type=checkbox]), textarea, select') || target.closest('details[open]')) return;
    if (target.matches('button, a, summary') && (key === 'Enter' || key === ' ')) return;
    if (target.closest('.panel') && ['ArrowDown', 'ArrowUp', 'Home', 'End'].includes(key)) return; // they scroll
    const action = actions.get(first ? `${first} ${key}` : key);
    clearTimeout(timer);
    first = '';
    if (action) {
      event.preventDefault();
      page[action](key);
    } else if ([...actions.keys()].some((known) => known.startsWith(`${key} `))) {
      first = key;
      timer = setTimeout(() => {
        first = '';
      }, PAUSE);
    }
  });
}

export function help() {
  const keys = (list) => list.map((pair) => pair.split(' ').map((key) => h('kbd', {}, NAMES[key] || key)));
  return open(
    'Keyboard',
    h(
      'div.keys',
      {},
      KEYS.map(([title, rows]) =>
        h(
          'section',
          {},
          h('h3', {}, title),
          h(
            'dl',
            {},
            rows.map(([all, text]) => h('div', {}, h('dt', {}, keys(all[0] === '1' ? ['1'] : all)), h('dd', {}, text))),
          ),
        ),
      ),
    ),
    { wide: true },
  );
}
