// What interrupts: questions, and words at the lower edge.

import { byId, fill, h, icon } from './dom.js';

// One word to the screen reader alone.
export function speak(text) {
  fill(byId('spoken'), h('p', {}, text));
}

export function toast(text, kind = '') {
  const element = h(`div.toast${kind && `.${kind}`}`, {}, kind === 'bad' && icon('warn'), text);
  byId('toasts').append(element);
  setTimeout(() => element.remove(), kind === 'bad' ? 8000 : 3000);
}

export function fail(error) {
  if (error.name !== 'AbortError') toast(error.message, 'bad');
}

// A modal dialog; what it is closed with ('' for Escape). The browser keeps the focus inside and gives it back.
export function open(title, content, { wide = false, buttons = [] } = {}) {
  return new Promise((resolve) => {
    const form = h(
      'form',
      { method: 'dialog' },
      h(
        'header',
        {},
        h('h2', { id: 'dialog-title' }, title),
        h('button.tool', { type: 'button', 'aria-label': 'Close', onclick: () => dialog.close('') }, icon('close')),
      ),
      h('div.dialog-body', {}, content),
      buttons.length > 0 && h('footer', {}, buttons),
    );
    const dialog = h(`dialog${wide ? '.wide' : ''}`, { 'aria-labelledby': 'dialog-title' }, form);
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
    dialog.addEventListener('click', (event) => {
      if (event.target === dialog) dialog.close('');
    });
    document.body.append(dialog);
    dialog.showModal();
    (form.querySelector('[autofocus]') || form.querySelector('button')).focus();
  });
}

export const isOpen = () => document.querySelector('dialog[open]') !== null;

// None of its form's: Enter must not press it.
const cancel = () =>
  h('button.button', { type: 'button', onclick: (event) => event.target.closest('dialog').close('') }, 'Cancel');

export async function confirm(title, text, yes) {
  return (
    (await open(title, h('p', {}, text), {
      buttons: [cancel(), h('button.button.danger', { value: 'yes', autofocus: true }, yes)],
    })) === 'yes'
  );
}

// A line of text, or null.
async function askLine(title, label, yes, properties, suggestions = []) {
  const input = h('input.field', {
    id: 'dialog-input',
    required: true,
    autofocus: true,
    autocomplete: 'off',
    spellcheck: 'false',
    list: suggestions.length ? 'dialog-list' : null,
    ...properties,
  });
  const done = await open(
    title,
    [
      h('label', { for: 'dialog-input' }, label),
      input,
      suggestions.length > 0 &&
        h(
          'datalist',
          { id: 'dialog-list' },
          suggestions.map((value) => h('option', { value })),
        ),
    ],
    { buttons: [cancel(), h('button.button.primary', { value: 'yes' }, yes)] },
  );
  return done === 'yes' ? input.value.trim() : null;
}

export const askTag = (tags) => askLine('Add a tag', 'Tag', 'Add', { maxlength: 64, placeholder: 'checkout' }, tags);

export const askRecipients = (recipients) =>
  askLine('Release this message', 'Send it on to', 'Release', {
    type: 'email',
    multiple: true,
    value: recipients.join(', '),
  });
