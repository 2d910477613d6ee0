// HTML that wants to run a script, have something fetched, or lead the page elsewhere: one message for each line of
// hostile.html.txt. See elsewhere in support.js for how requests are noticed.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { assert, elsewhere, empty, get, harmless, plain, send, test, watch, withPage } = require('./support.js');

const VECTORS = fs.readFileSync(path.join(__dirname, 'hostile.html.txt'), 'utf8').trimEnd().split('\n');
const TITLE = /^(\(\d+\) )?Inbox · /;

test.beforeEach(async () => {
  await empty();
  elsewhere.connections = 0;
});

// Sends each as a message, opens them one after the other, and calls work(frame, vector) for each.
async function withEach(vectors, page, work) {
  await send(
    vectors.map((body) =>
      plain('hostile', { more: 'MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n', body }),
    ),
  );
  const { messages } = await get('messages?limit=500');
  assert.strictEqual(messages.length, vectors.length);
  for (const [at, { id }] of messages.reverse().entries()) {
    const shown = page.waitForResponse((response) => response.url().includes(`/messages/${id}/html`));
    await page.evaluate((to) => {
      location.hash = to;
    }, `#/${id}?tab=html`);
    const frame = await (await shown).frame();
    await frame.waitForLoadState('load');
    await work(frame, vectors[at]);
  }
}

test(`${VECTORS.length} of them, opened`, () =>
  withPage(async (page) => {
    const asked = watch(page);
    await withEach(VECTORS, page, (frame, vector) => harmless(page, asked, vector));
  }));

test('what is pressed in a message leads nowhere but into a window of its own', () =>
  withPage(async (page) => {
    await withEach(
      VECTORS.filter((vector) => vector.includes('id=click')),
      page,
      async (frame, vector) => {
        const target = frame.locator('#click').first();
        if (await target.count()) await target.dispatchEvent('click').catch(() => {});
        assert.deepStrictEqual(page.wrong, [], vector);
        assert.match(await page.title(), TITLE, vector);
        assert.strictEqual(new URL(page.url()).origin, new URL(process.env.INBOX_URL).origin, vector);
        const inside = await frame.evaluate(() => document.body?.innerText.includes('"messages"')).catch(() => false);
        assert.ok(!inside, 'a message reads no other messages');
      },
    );
  }));
