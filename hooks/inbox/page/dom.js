// Elements. Text from outside gets into the page here, and only as text: there is no way to hand in markup.

const SVG = 'http://www.w3.org/2000/svg';

// h('button.tool', { type: 'button', onclick: f }, 'text', otherElement). A property that is null, undefined or false
// is left out, true is an attribute without a value; on… is a listener. Children: strings, nodes, lists of them, nothing.
export function h(name, properties = {}, ...children) {
  const [tag, ...classes] = name.split('.');
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(' ');
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? '' : value);
  }
  return put(element, children);
}

function put(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
}

// In place of all that is in it.
export function fill(element, ...children) {
  element.replaceChildren();
  return put(element, children);
}

export const byId = (id) => document.getElementById(id);

// One of index.html's symbols. Decoration: who cannot see it needs a label elsewhere.
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
}

// A button of an icon: its label is for the tip and the screen reader, `keys` for both as well.
export function tool(name, label, onclick, { keys = '', text = '', ...properties } = {}) {
  const title = keys ? `${label} (${keys})` : label;
  return h(
    'button.tool',
    { type: 'button', title, 'aria-label': label, 'aria-keyshortcuts': keys || null, onclick, ...properties },
    icon(name),
    text && h('span', {}, text),
  );
}

// Text of a stranger: its direction does not reach beyond it (U+202E and its like).
export const foreign = (text) => h('bdi', { dir: 'auto' }, visible(text));

// Control characters as their pictures: they would be invisible, and some of them turn text around.
export function visible(text) {
  return String(text ?? '')
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, (c) =>
      c === '\u007f' ? '\u2421' : String.fromCharCode(0x2400 + c.charCodeAt(0)),
    )
    .replace(/[\u202a-\u202e\u2066-\u2069\u200e\u200f]/g, '\ufffd');
}

// Where a link of a message may lead to, or null: never javascript: or data:.
export function safeUrl(text) {
  try {
    const url = new URL(text);
    return ['http:', 'https:', 'mailto:', 'tel:'].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = h('textarea', { class: 'hear-only', readonly: true }); // not over plain HTTP from another machine
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

export function copyButton(text, label = 'Copy') {
  const button = tool('copy', label, async () => {
    await copy(typeof text === 'function' ? text() : text);
    button.classList.add('done');
    button.firstChild.replaceWith(icon('check'));
    setTimeout(() => {
      button.classList.remove('done');
      button.firstChild.replaceWith(icon('copy'));
    }, 1500);
  });
  return button;
}

// A colour for a word, always the same.
export function hue(word) {
  let sum = 7;
  for (const c of String(word)) sum = (sum * 31 + c.codePointAt(0)) % 9973;
  return (sum * 137) % 360;
}

export function tagChip(tag, onremove) {
  const chip = h('span.tag', {}, foreign(tag));
  chip.style.setProperty('--hue', hue(tag));
  if (onremove) {
    chip.append(
      h('button', { type: 'button', 'aria-label': `Remove the tag ${tag}`, onclick: onremove }, icon('close')),
    );
  }
  return chip;
}

// In place of something that is not there.
export function notice(name, title, text, ...more) {
  return h('div.notice', {}, icon(name), h('h2', {}, title), h('p', {}, visible(text)), more);
}
