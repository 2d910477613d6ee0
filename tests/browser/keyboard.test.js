// Everything without a mouse, and where the focus is meanwhile.
'use strict';

const { assert, becomes, empty, focused, get, plain, row, send, test, texts, withPage } = require('./support.js');

test.beforeEach(empty);

const press = async (page, ...keys) => {
  for (const key of keys) await page.keyboard.press(key);
};
const current = (page) => page.evaluate(() => document.activeElement.querySelector?.('.subject')?.textContent);

test('from the list into a message, through its tabs, and back', async () => {
  await send([plain('One'), plain('Two'), plain('Three')]);
  await withPage(async (page) => {
    await row(page, 'Three').waitFor();
    await press(page, 'j');
    await becomes(() => current(page), 'Three');
    await press(page, 'j', 'j', 'j');
    await becomes(() => current(page), 'One');
    await press(page, 'k');
    await becomes(() => current(page), 'Two');
    await press(page, 'Enter');
    await becomes(
      () => page.evaluate(() => `${document.activeElement.tagName} ${document.activeElement.textContent}`),
      'H1 Two',
    );
    await press(page, '2');
    await becomes(() => texts(page, '.tabs [aria-selected=true]'), ['SMTP']);
    await press(page, ']');
    await becomes(() => texts(page, '.tabs [aria-selected=true]'), ['Headers']);
    await press(page, '[', '[');
    await becomes(() => texts(page, '.tabs [aria-selected=true]'), ['Text']);
    await press(page, 'Escape');
    await becomes(() => page.locator('#message-pane').isVisible(), false);
    await becomes(() => current(page), 'Two');
  });
});

test('search, choose, mark, tag, delete', async () => {
  await send([plain('One'), plain('Two'), plain('Three')]);
  await withPage(async (page) => {
    await row(page, 'One').waitFor();
    await press(page, '/');
    assert.strictEqual(await focused(page), 'query');
    await page.keyboard.type('subject:t');
    await becomes(() => texts(page, '.row .subject'), ['Three', 'Two']);
    await press(page, 'Enter');
    await becomes(() => current(page), 'Three');
    await press(page, 'x', 'j', 'X');
    await becomes(() => texts(page, '.bar-count'), ['2 selected']);
    await press(page, 'e');
    await becomes(() => page.locator('.row.unread').count(), 0);
    await press(page, 'u');
    await becomes(() => page.locator('.row.unread').count(), 2);
    await press(page, 't');
    await page.keyboard.type('later');
    await press(page, 'Enter');
    await becomes(() => texts(page, '.row .tag'), ['later', 'later']);
    await press(page, '#');
    await page.locator('dialog').waitFor();
    await press(page, 'Escape');
    await becomes(() => page.locator('dialog').count(), 0);
    await becomes(() => texts(page, '.row .subject'), ['Three', 'Two']);
    await press(page, '#', 'Enter');
    await becomes(async () => (await get('messages')).messages.map((message) => message.subject), ['One']);
    await press(page, '/', 'Escape', 'Escape');
    await becomes(() => texts(page, '.row .subject'), ['One']);
  });
});

test('a single message is deleted without a question, and the next one is read', async () => {
  await send([plain('One'), plain('Two'), plain('Three')]);
  await withPage(async (page) => {
    await row(page, 'Three').waitFor();
    await press(page, 'j', 'Enter');
    await page.locator('h1', { hasText: 'Three' }).waitFor();
    await press(page, '#');
    await page.locator('h1', { hasText: 'Two' }).waitFor();
    await becomes(() => texts(page, '.row .subject'), ['Two', 'One']);
  });
});

test('Tab reaches the list once, and a link in front skips to it', async () => {
  await send([plain('One'), plain('Two')]);
  await withPage(async (page) => {
    await row(page, 'Two').waitFor();
    await press(page, 'Tab');
    assert.strictEqual(await focused(page), 'skip');
    await press(page, 'Enter');
    await becomes(() => current(page), 'Two');
    await press(page, 'Tab');
    assert.notStrictEqual(await current(page), 'One', 'only the current row is in the order of Tab');
  });
});

test('every control has a name, every picture is hidden or has one', async () => {
  await send(plain('One'));
  await withPage(async (page) => {
    await row(page, 'One').click();
    await page.locator('h1', { hasText: 'One' }).waitFor();
    await press(page, 'x', '?');
    await page.locator('dialog').waitFor();
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll('button, a[href], input, summary, iframe, [role=tab], [role=grid]')]
        .filter(
          (element) =>
            !element.closest('[hidden]') &&
            !(
              element.getAttribute('aria-label') ||
              element.textContent.trim() ||
              element.title ||
              element.labels?.length ||
              element.placeholder
            ),
        )
        .map((element) => element.outerHTML),
    );
    assert.deepStrictEqual(nameless, []);
    const spoken = await page.evaluate(() => [...document.querySelectorAll('svg:not([aria-hidden])')].length);
    assert.strictEqual(spoken, 0);
  });
});

test('the help names every key, and gives the focus back', async () => {
  await send(plain('One'));
  await withPage(async (page) => {
    await row(page, 'One').waitFor();
    await press(page, 'j', '?');
    const dialog = page.locator('dialog');
    await dialog.waitFor();
    const keys = (await texts(page, 'dialog kbd')).join(' ');
    for (const key of ['j', 'k', 'Enter', '/', 'x', 'e', 'u', 't', 'd', '#', '?', 'Esc'])
      assert.ok(keys.split(' ').includes(key), `${key} in ${keys}`);
    await press(page, 'Escape');
    await becomes(() => dialog.count(), 0);
    await becomes(() => current(page), 'One');
  });
});
