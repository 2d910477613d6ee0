// The search: it follows the typing, and knows the operators.

import { byId, fill, h } from './dom.js';
import { tagTerm } from './format.js';
import { go, route } from './route.js';

const OPERATORS = [
  ['from:', 'who wrote it'],
  ['to:', 'who gets it'],
  ['cc:', 'who gets a copy'],
  ['subject:', 'words of the subject'],
  ['tag:', 'a tag'],
  ['is:unread', 'not read yet'],
  ['is:read', 'read'],
  ['is:tagged', 'with any tag'],
  ['has:attachment', 'with files'],
  ['has:html', 'with HTML'],
  ['before:', 'a day, or an age: 2026-11-30, 3d'],
  ['after:', 'from then on: 2026-11-01, 12h'],
  ['larger:', 'a size: 10k, 5M'],
  ['smaller:', 'a size'],
  ['files:', 'names of attachments'],
  ['message-id:', 'as its header says'],
  ['-', 'not: -from:ann'],
  ['"…"', 'words in this order'],
].map(([word, meaning]) => ({ word, meaning }));

const PAUSE = 120; // ms without a key before we ask

export class Search {
  // tags(): those there are, to be offered.
  constructor(tags) {
    this.tags = tags;
    this.input = byId('query');
    this.hints = byId('hints');
    this.active = -1;
    this.input.addEventListener('input', () => {
      this.typed();
      this.offer();
    });
    this.input.addEventListener('focus', () => this.offer());
    this.input.addEventListener('blur', () => this.hide());
    this.input.addEventListener('keydown', (event) => this.key(event));
    byId('search').addEventListener('submit', (event) => {
      event.preventDefault();
      this.now();
    });
    byId('query-clear').addEventListener('click', () => {
      this.input.value = '';
      this.now();
      this.input.focus();
    });
    this.hints.addEventListener('mousedown', (event) => {
      event.preventDefault(); // the focus stays in the line
      const hint = event.target.closest('[role=option]');
      if (hint) this.take(hint.dataset.word);
    });
  }

  // The route has changed, by whatever.
  show() {
    if (route.query !== this.query()) this.input.value = route.query;
    byId('query-clear').hidden = !this.input.value;
  }

  focus() {
    this.input.focus();
    this.input.select();
  }

  // Without an operator at the end whose value is still to come.
  query() {
    return this.input.value.replace(/(^|\s)-?([a-z-]+:"?)?$/, '').trim();
  }

  typed() {
    byId('query-clear').hidden = !this.input.value;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.now(), PAUSE);
  }

  now() {
    clearTimeout(this.timer);
    go({ view: 'messages', query: this.query(), ...(route.view === 'attempts' ? { id: '' } : {}) }, { replace: true });
    byId('query-clear').hidden = !this.input.value;
  }

  // --- hints

  word() {
    return /(\S*)$/.exec(this.input.value.slice(0, this.input.selectionStart))[1];
  }

  offer() {
    const word = this.word()
      .replace(/^-(?=.)/, '')
      .toLowerCase();
    const tags = this.tags().map((tag) => ({ word: tagTerm(tag), meaning: '' }));
    const fitting = [...OPERATORS, ...(word.startsWith('tag:') ? tags : [])]
      .filter((one) => !word || (one.word.startsWith(word) && one.word !== word))
      .slice(0, 18);
    this.active = -1;
    fill(
      this.hints,
      fitting.map(({ word: offered, meaning }, at) =>
        h(
          'li',
          { role: 'option', id: `hint-${at}`, 'aria-selected': 'false', 'data-word': offered },
          h('code', {}, offered),
          h('span', {}, meaning),
        ),
      ),
    );
    this.toggle(fitting.length > 0);
  }

  toggle(open) {
    this.hints.hidden = !open;
    this.input.setAttribute('aria-expanded', String(open));
    if (!open) this.input.removeAttribute('aria-activedescendant');
  }

  hide() {
    this.toggle(false);
  }

  key(event) {
    const options = [...this.hints.children];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !this.hints.hidden) {
      event.preventDefault();
      this.active = (this.active + step + options.length + (this.active < 0 && step < 0 ? 1 : 0)) % options.length;
      options.forEach((option, at) => option.setAttribute('aria-selected', String(at === this.active)));
      this.input.setAttribute('aria-activedescendant', `hint-${this.active}`);
      options[this.active].scrollIntoView({ block: 'nearest' });
    } else if ((event.key === 'Enter' || event.key === 'Tab') && !this.hints.hidden && this.active >= 0) {
      event.preventDefault();
      this.take(options[this.active].dataset.word);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      this.now();
      this.hide();
      this.done?.();
    } else if (event.key === 'Escape') {
      event.stopPropagation();
      if (!this.hints.hidden && this.word()) this.hide();
      else if (this.input.value) {
        this.input.value = '';
        this.now();
      } else this.done?.();
    }
  }

  take(offered) {
    const end = this.input.selectionStart;
    const word = this.word();
    const negated = word.startsWith('-') && offered !== '-' ? '-' : '';
    const text = offered === '"…"' ? '"' : negated + offered;
    const space =
      /[:"-]$/.test(text) && offered !== '-' && !/"$/.test(offered.slice(1)) ? '' : offered === '-' ? '' : ' ';
    this.input.setRangeText(text + space, end - word.length, end, 'end');
    this.typed();
    this.offer();
  }
}
