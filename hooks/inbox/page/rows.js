// A list of any length: only the rows in sight are elements. Rows are of one height, which depends on how much room the
// list has ("wide": one line each).
//
// One row is the current one: it is what the keyboard acts upon, and the one that Tab reaches.

import { h } from './dom.js';

const WIDE_FROM = 720; // pixels
const BEYOND = 8; // rows drawn above and below what is seen

export class Rows {
  // list: the element that scrolls. label: for the screen reader. key(item): its id. draw(item): its element.
  // decorate(element, item): what may change while the item stays. height: {wide, narrow} in pixels.
  // nearEnd(): more may be wanted. moved(item): the keyboard has gone there.
  constructor(list, options) {
    Object.assign(this, options);
    this.list = list;
    this.items = [];
    this.current = '';
    this.drawn = new Map(); // key -> {element, item}
    this.canvas = h('div.canvas', {
      role: 'grid',
      'aria-label': this.label,
      'aria-multiselectable': this.decorate ? 'true' : null,
    });
    list.addEventListener('scroll', () => this.soon(), { passive: true });
    new ResizeObserver(() => this.measure()).observe(list);
  }

  show() {
    if (this.canvas.parentNode !== this.list) this.list.replaceChildren(this.canvas);
    this.measure();
  }

  measure() {
    this.wide = this.list.clientWidth >= WIDE_FROM;
    this.list.classList.toggle('wide', this.wide);
    this.rowHeight = this.wide ? this.height.wide : this.height.narrow;
    this.soon();
  }

  set(items) {
    this.items = items;
    this.index = new Map(items.map((item, index) => [this.key(item), index]));
    if (!this.touched) {
      this.current = items.length ? this.key(items[0]) : ''; // nobody is anywhere yet
    } else if (!this.index.has(this.current)) {
      const before = this.drawn.get(this.current)?.at ?? 0;
      this.current = items.length ? this.key(items[Math.min(before, items.length - 1)]) : '';
    }
    this.soon();
  }

  // Another list: from its top, or where `key` is.
  restart(key) {
    this.touched = this.index.has(key);
    this.current = this.touched ? key : this.items.length ? this.key(this.items[0]) : '';
  }

  soon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.render();
    });
  }

  render() {
    if (this.canvas.parentNode !== this.list || !this.rowHeight) return;
    const { scrollTop, clientHeight } = this.list;
    const first = Math.max(0, Math.floor(scrollTop / this.rowHeight) - BEYOND);
    const end = Math.min(this.items.length, Math.ceil((scrollTop + clientHeight) / this.rowHeight) + BEYOND);
    this.canvas.style.height = `${this.items.length * this.rowHeight}px`;
    this.canvas.setAttribute('aria-rowcount', this.items.length);

    const wanted = new Set();
    for (let at = first; at < end; ++at) wanted.add(at);
    const here = this.index?.get(this.current); // always an element, so that it keeps the focus
    if (here !== undefined) wanted.add(here);
    const keep = new Set();
    for (const at of [...wanted].sort((a, b) => a - b)) keep.add(this.place(at));
    for (const [key, { element }] of this.drawn) {
      if (keep.has(key)) continue;
      element.remove();
      this.drawn.delete(key);
    }
    this.order([...keep].map((key) => this.drawn.get(key).element));
    if (end > this.items.length - 20) this.nearEnd?.();
  }

  place(at) {
    const item = this.items[at];
    const key = this.key(item);
    let entry = this.drawn.get(key);
    if (entry?.item !== item) {
      const element = this.draw(item);
      element.setAttribute('role', 'row');
      element.dataset.key = key;
      const focused = entry?.element === document.activeElement;
      if (entry) entry.element.replaceWith(element);
      else this.canvas.append(element);
      if (focused) {
        element.tabIndex = 0;
        element.focus({ preventScroll: true });
      }
      entry = { element, item };
      this.drawn.set(key, entry);
    }
    entry.at = at;
    entry.element.style.transform = `translateY(${at * this.rowHeight}px)`;
    entry.element.setAttribute('aria-rowindex', at + 1);
    entry.element.tabIndex = key === this.current ? 0 : -1;
    this.decorate?.(entry.element, item);
    return key;
  }

  // As they are in the list: a screen reader reads elements as they come. The one with the focus would lose it if it
  // were moved, so others make way for it.
  order(elements) {
    let next = this.canvas.firstChild;
    for (const element of elements) {
      while (next !== element && element === document.activeElement) {
        const other = next;
        next = next.nextSibling;
        this.canvas.append(other);
      }
      if (next === element) next = next.nextSibling;
      else this.canvas.insertBefore(element, next);
    }
  }

  at(key) {
    return this.items[this.index?.get(key)];
  }

  currentItem() {
    return this.at(this.current);
  }

  // Makes it the current row and shows it.
  reveal(key, { focus = false } = {}) {
    const at = this.index?.get(key);
    if (at === undefined) return;
    this.touched = true;
    this.current = key;
    if (this.rowHeight) {
      const top = at * this.rowHeight;
      const { scrollTop, clientHeight } = this.list;
      if (top < scrollTop) this.list.scrollTop = top;
      else if (top + this.rowHeight > scrollTop + clientHeight)
        this.list.scrollTop = top + this.rowHeight - clientHeight;
    }
    this.render();
    if (focus) this.drawn.get(key)?.element.focus({ preventScroll: true });
  }

  neighbour(step) {
    const at = this.index?.get(this.current) ?? -1;
    return this.items[Math.max(0, Math.min(this.items.length - 1, at + step))];
  }

  move(step) {
    const item = this.neighbour(step);
    if (!item) return;
    this.reveal(this.key(item), { focus: this.list.offsetParent !== null });
    this.moved?.(item);
  }

  // New rows above: what is being read stays where it is.
  shift(rows) {
    if (this.list.scrollTop > 0) this.list.scrollTop += rows * this.rowHeight;
  }
}
