// The list: how it fills, follows what happens, is searched, and what is done with several messages at once.
'use strict';

const { PHONE, assert, becomes, empty, get, plain, row, rows, send, test, texts, withPage } = require('./support.js');

const WITH_FILE = `From: =?utf-8?q?K=C3=A4the?= <kaethe@dev.test>
To: Bob <bob@dev.test>
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Liebe Grüße, und ein Bild.
--b
Content-Type: image/png
Content-Disposition: attachment; filename=a.png
Content-Transfer-Encoding: base64

iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYPj/HwADAgH/p5zjTwAAAABJRU5ErkJggg==
--b--
`;

test.beforeEach(empty);

test('an empty inbox shows how to send a first message, in six languages, to our address', () =>
  withPage(async (page) => {
    const address = (await get('info')).smtp[0] || '127.0.0.1:25';
    await becomes(() => texts(page, '.welcome [role=tab]'), ['Shell', 'Python', 'Node.js', 'PHP', 'Ruby', 'Go']);
    await becomes(() => texts(page, '.welcome strong'), [address]);
    for (const language of await page.locator('.welcome [role=tab]').all()) {
      await language.click();
      const code = await page.locator('#snippet').textContent();
      const [host, port] = [address.replace(/:\d+$/, ''), address.replace(/.*:/, '')];
      assert.ok(code.includes(host) && code.includes(port), code);
    }
  }));

test('the list shows before a second step of requests', async () => {
  await send(plain('One'));
  await withPage(async (page) => {
    await rows(page).first().waitFor();
    const entries = await page.evaluate(() =>
      performance
        .getEntriesByType('resource')
        .map((entry) => ({
          name: entry.name.replace(/.*?\/\/[^/]*\//, ''),
          begun: entry.startTime,
          by: entry.initiatorType,
        })),
    );
    const lists = entries.filter((entry) => entry.name.startsWith('api/v2/messages'));
    assert.strictEqual(lists[0].by, 'link', 'the index itself asks for the messages, beside the modules');
    const modules = entries.filter((entry) => entry.name.endsWith('.js'));
    assert.ok(modules.length > 10);
    assert.deepStrictEqual(
      modules.filter((entry) => !['link', 'script', 'other'].includes(entry.by)),
      [],
    );
  });
});

test('a message appears without a reload, with all that the list says of one', () =>
  withPage(async (page) => {
    await page.locator('.welcome').waitFor();
    await send(WITH_FILE);
    const message = row(page, 'Grüße');
    await message.waitFor();
    assert.match(await message.getAttribute('class'), /unread/);
    assert.strictEqual(await message.locator('.who').textContent(), 'Käthe');
    assert.strictEqual(await message.locator('.snippet').textContent(), 'Liebe Grüße, und ein Bild.');
    assert.strictEqual(await message.locator('.clip').textContent(), '1');
    assert.match(await message.locator('.size').textContent(), /^(\d+ B|\d\.\d KB)$/);
    assert.match(await message.locator('time').textContent(), /^\d\d:\d\d$/);
    assert.match(await message.getAttribute('aria-label'), /^Unread, Käthe, Grüße, 1 attachment, /);
    await becomes(() => page.title(), `(1) Inbox · ${(await get('info')).hostname || 'hooksmtpd'}`);
    await becomes(() => page.locator('#spoken').textContent(), 'New message from Käthe: Grüße');
    assert.strictEqual(await page.locator('.welcome').count(), 0);
  }));

test('what another tab does is seen in this one', async () => {
  await send([plain('One'), plain('Two')]);
  await withPage(async (page) => {
    await row(page, 'Two').waitFor();
    await withPage(async (other) => {
      await row(other, 'One').click();
      await becomes(() => page.locator('.row.unread').count(), 1);
      await other.keyboard.press('#');
      await becomes(() => texts(page, '.row .subject'), ['Two']);
    });
  });
});

test('a list that is scrolled stays where it is when messages come', async () => {
  await send(Array.from({ length: 130 }, (_, at) => plain(`Number ${at}`)));
  await withPage(async (page) => {
    await row(page, 'Number 129').waitFor();
    assert.ok((await rows(page).count()) < 60, 'only those in sight are elements');
    await page.locator('#list').evaluate((list) => {
      list.scrollTop = 1500;
    });
    const seen = () =>
      page.evaluate(() => document.elementFromPoint(700, 500).closest('.row').querySelector('.subject').textContent);
    await becomes(() => page.evaluate(() => document.elementFromPoint(700, 500).closest('.row') !== null), true);
    const before = await seen();
    await send(plain('Late'));
    await becomes(() => page.locator('#arrivals').textContent(), '1 new message');
    await becomes(seen, before);
    await becomes(
      () =>
        page.locator('#list').evaluate((list) => {
          list.scrollTop = list.scrollHeight; // again and again: it grows beyond the first hundred
          return [...list.querySelectorAll('.subject')].at(-1).textContent;
        }),
      'Number 0',
    );
    await page.locator('#list').evaluate((list) => {
      list.scrollTop = 500;
    });
    await page.locator('#arrivals').click();
    await becomes(() => rows(page).first().locator('.subject').textContent(), 'Late');
  });
});

test('the search follows the typing', async () => {
  await send([
    plain('Invoice for June', { body: 'total 12\n' }),
    plain('Lunch', { from: 'Ben <ben@client.test>' }),
    WITH_FILE,
  ]);
  await withPage(async (page) => {
    await row(page, 'Lunch').waitFor();
    for (const [query, found] of [
      ['invo', ['Invoice for June']],
      ['from:ben', ['Lunch']],
      ['has:attachment', ['Grüße']],
      ['-from:ben -has:attachment', ['Invoice for June']],
      ['"for june"', ['Invoice for June']],
      ['larger:5M', []],
      ['subject:', ['Grüße', 'Lunch', 'Invoice for June']],
    ]) {
      await page.fill('#query', query);
      await becomes(() => texts(page, '.row .subject'), found);
    }
    await page.fill('#query', 'nothing like that');
    await page.locator('.notice', { hasText: 'Nothing found' }).getByRole('button').click();
    await becomes(() => rows(page).count(), 3);
    assert.strictEqual(await page.inputValue('#query'), '');
  });
});

test('a search is in the address, and the back button leads out of it', async () => {
  await send([plain('One'), plain('Two')]);
  await withPage(
    async (page) => {
      await becomes(() => texts(page, '.row .subject'), ['One']);
      await page.locator('.place', { hasText: 'All mail' }).click();
      await becomes(() => rows(page).count(), 2);
      await page.goBack();
      await becomes(() => texts(page, '.row .subject'), ['One']);
      assert.strictEqual(await page.inputValue('#query'), 'subject:one');
    },
    { path: '#/?query=subject:one' },
  );
});

test('operators are offered and taken with the keyboard', () =>
  withPage(async (page) => {
    await page.keyboard.press('/');
    await page.keyboard.type('is:un');
    await becomes(() => texts(page, '#hints code'), ['is:unread']);
    await page.keyboard.press('ArrowDown');
    assert.strictEqual(await page.getAttribute('#query', 'aria-activedescendant'), 'hint-0');
    await page.keyboard.press('Enter');
    assert.strictEqual(await page.inputValue('#query'), 'is:unread ');
  }));

test('several messages are marked, tagged and deleted at once', async () => {
  await send([plain('One'), plain('Two'), plain('Three')]);
  await withPage(async (page) => {
    await row(page, 'One').locator('.tick').click();
    await row(page, 'Three').locator('.tick').click();
    await becomes(() => texts(page, '.bar-count'), ['2 selected']);
    await page.getByRole('button', { name: 'Mark as read' }).click();
    await becomes(() => texts(page, '.row.unread .subject'), ['Two']);
    await page.getByRole('button', { name: 'Tag' }).first().click();
    await page.keyboard.type('shop');
    await page.keyboard.press('Enter');
    await becomes(() => texts(page, '.row .tag'), ['shop', 'shop']);
    await becomes(() => texts(page, '.place:has(.tag-dot)'), ['shop2']);
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Delete' }).click();
    await becomes(() => texts(page, '.row .subject'), ['Two']);
    await becomes(async () => (await get('messages')).messages.map((message) => message.subject), ['Two']);
  });
});

test('all that match are chosen, loaded or not', async () => {
  await send(Array.from({ length: 120 }, (_, at) => plain(`Number ${at}`)).concat(plain('Other')));
  await withPage(async (page) => {
    await page.fill('#query', 'number');
    await becomes(() => page.locator('#list-bar strong').first().textContent(), 'Found');
    await becomes(() => row(page, 'Other').count(), 0);
    await page.locator('#list').focus();
    await page.keyboard.press('*');
    await page.getByRole('button', { name: 'Select all 120' }).click();
    await becomes(() => texts(page, '.bar-count'), ['120 selected']);
    await page.keyboard.press('#');
    await page.locator('dialog').getByRole('button', { name: 'Delete' }).click();
    await becomes(async () => (await get('messages')).messages.map((message) => message.subject), ['Other']);
  });
});

test('several messages are downloaded as one file', async () => {
  await send([plain('One'), plain('Two')]);
  await withPage(async (page) => {
    await row(page, 'One').waitFor();
    await page.keyboard.press('*');
    for (const [name, extension, begin] of [
      ['ZIP of .eml files', /\.zip$/, 'PK'],
      ['mbox', /\.mbox$/, 'From '],
    ]) {
      await page.locator('.menu summary').click();
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('menuitem', { name }).click(),
      ]);
      assert.match(download.suggestedFilename(), extension);
      const file = require('node:fs').readFileSync(await download.path(), 'latin1');
      assert.ok(file.startsWith(begin), file.slice(0, 40));
    }
  });
});

test('on a phone the list and a message have the screen in turn', async () => {
  await send([plain('One'), plain('Two')]);
  await withPage(async (page) => {
    await row(page, 'Two').tap();
    await page.locator('h1', { hasText: 'Two' }).waitFor();
    assert.strictEqual(await page.locator('#list').isVisible(), false);
    await page.getByRole('button', { name: 'Back to the list' }).tap();
    await becomes(() => page.locator('#list').isVisible(), true);
    await page.getByRole('button', { name: 'Menu' }).tap();
    await page.locator('.place', { hasText: 'Attempts' }).tap();
    await becomes(() => texts(page, '#list-bar strong'), ['Attempts']);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    assert.strictEqual(wide, false, 'nothing is wider than the screen');
  }, PHONE);
});

test('light and dark follow the system, until somebody chooses', () =>
  withPage(
    async (page) => {
      const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const dark = await background();
      await page.emulateMedia({ colorScheme: 'light' });
      const light = await background();
      assert.notStrictEqual(dark, light);
      await page.getByRole('button', { name: /^Theme: auto/ }).click();
      await page.getByRole('button', { name: /^Theme: light/ }).click();
      await becomes(background, dark);
      await page.reload();
      await becomes(background, dark);
    },
    { colorScheme: 'dark' },
  ));
