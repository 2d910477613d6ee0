// A message from each of its sides, and sessions that brought none.
'use strict';

const { assert, becomes, empty, get, plain, row, rows, send, test, texts, withPage } = require('./support.js');

const PICTURE = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYPj/HwADAgH/p5zjTwAAAABJRU5ErkJggg==';
const ORDER = `From: Shop <orders@shop.test>
To: Bob <bob@dev.test>
Cc: team@dev.test
Subject: Your order
X-Order: =?utf-8?q?N=C2=B0_7?=
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=m

--m
Content-Type: multipart/alternative; boundary=a

--a
Content-Type: text/plain; charset=utf-8

Thank you.
> so we said
Look at https://shop.test/orders/7.
--a
Content-Type: multipart/related; boundary=r

--r
Content-Type: text/html; charset=utf-8

<html><body><h1 id="greeting">Thank you</h1><img id="logo" src="cid:logo@shop.test">
<a href="https://shop.test/orders/7">View your order</a> <a href="javascript:alert('owned')">odd</a></body></html>
--r
Content-Type: image/png; name=logo.png
Content-ID: <logo@shop.test>
Content-Disposition: inline; filename=logo.png
Content-Transfer-Encoding: base64

${PICTURE}
--r--
--a--
--m
Content-Type: text/csv; name="numbers.csv"
Content-Disposition: attachment; filename="numbers.csv"

a;b
1;2
--m--
`;

const tab = (page, name) => page.locator(`#tab-${name}`).click();

test.beforeEach(empty);

async function withOrder(work) {
  await send(ORDER, { to: ['bob@dev.test', 'hidden@dev.test'] });
  await withPage(async (page) => {
    await row(page, 'Your order').click();
    await page.locator('h1', { hasText: 'Your order' }).waitFor();
    await work(page, (await get('messages')).messages[0]);
  });
}

test('who wrote to whom, when, and what the envelope says besides', () =>
  withOrder(async (page) => {
    await becomes(() => texts(page, '.envelope dt'), ['From', 'To', 'Cc', 'Envelope']);
    const [from, to, cc, envelope] = await texts(page, '.envelope dd');
    assert.deepStrictEqual([from, to, cc], ['Shoporders@shop.test', 'Bobbob@dev.test', 'team@dev.test']);
    assert.strictEqual(envelope, 'ann@client.test → bob@dev.test, hidden@dev.test');
    await becomes(async () => (await get('messages')).unread, 0);
    assert.doesNotMatch(await row(page, 'Your order').getAttribute('class'), /unread/);
  }));

test("HTML, in a frame of nobody's origin, with its own pictures, at three widths", () =>
  withOrder(async (page) => {
    const frame = page.frameLocator('.stage iframe');
    await frame.locator('#greeting').waitFor();
    await becomes(() => frame.locator('#logo').evaluate((image) => image.naturalWidth), 1);
    assert.strictEqual(await frame.locator('body').evaluate(() => window.origin), 'null');
    const width = async () => Math.round((await page.locator('.stage iframe').boundingBox()).width);
    const all = await width();
    for (const [name, expected] of [
      ['Phone', 390],
      ['Tablet', 768],
      ['Desktop', all],
    ]) {
      await page.getByRole('button', { name }).click();
      await becomes(width, expected);
      await becomes(() => frame.locator('body').evaluate(() => window.innerWidth), expected);
    }
  }));

test('plain text, with links', () =>
  withOrder(async (page) => {
    await tab(page, 'text');
    await becomes(() => texts(page, '.plain .quoted'), ['> so we said\n']);
    const link = page.locator('.plain a');
    assert.strictEqual(await link.getAttribute('href'), 'https://shop.test/orders/7');
    assert.strictEqual(await link.getAttribute('rel'), 'noopener noreferrer');
  }));

test('source, as it came', () =>
  withOrder(async (page, { id }) => {
    await tab(page, 'source');
    await becomes(
      async () => (await texts(page, '.source b')).slice(-4),
      ['Subject:', 'X-Order:', 'MIME-Version:', 'Content-Type:'],
    );
    const raw = await (await fetch(new URL(`api/v2/messages/${id}/raw`, process.env.INBOX_URL))).text();
    assert.strictEqual(await page.locator('.source').textContent(), raw.replaceAll('\r', ''));
  }));

test('header fields, decoded and as sent', () =>
  withOrder(async (page) => {
    await tab(page, 'headers');
    const order = page.locator('.headers tr', { hasText: 'X-Order' }).locator('td');
    await becomes(() => order.textContent(), 'N° 7');
    await page.getByRole('button', { name: 'Show as sent' }).click();
    await becomes(() => order.textContent(), '=?utf-8?q?N=C2=B0_7?=');
  }));

test('attachments, with a picture of pictures, to be downloaded', () =>
  withOrder(async (page) => {
    await tab(page, 'attachments');
    await becomes(async () => (await texts(page, '.card-name')).sort(), ['logo.png', 'numbers.csv']);
    await becomes(() => page.locator('.preview img').evaluate((image) => image.naturalWidth), 1);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.locator('.card', { hasText: 'numbers.csv' }).click(),
    ]);
    assert.match(require('node:fs').readFileSync(await download.path(), 'latin1'), /^a;b\r?\n1;2/);
  }));

test('the parts as a tree', () =>
  withOrder(async (page) => {
    await tab(page, 'parts');
    await becomes(
      () => texts(page, '.part b'),
      [
        'multipart/mixed',
        'multipart/alternative',
        'text/plain',
        'multipart/related',
        'text/html',
        'image/png',
        'text/csv',
      ],
    );
    const depth = (type) =>
      page
        .locator('.part', { hasText: type })
        .first()
        .evaluate((part) => {
          let ups = 0;
          for (let up = part; !up.classList.contains('tree'); up = up.parentElement) ups += up.tagName === 'UL';
          return ups;
        });
    assert.deepStrictEqual(
      [await depth('multipart/mixed'), await depth('text/html'), await depth('text/csv')],
      [0, 3, 1],
    );
  }));

test('links, with their text, but none that is no link of the web', () =>
  withOrder(async (page) => {
    await tab(page, 'links');
    await becomes(() => texts(page, '.link-text'), ['View your order']);
    await becomes(() => texts(page, '.link-url a'), ['https://shop.test/orders/7']);
  }));

test('the SMTP dialogue, with the verdict of each hook and its milliseconds', () =>
  withOrder(async (page) => {
    await tab(page, 'smtp');
    const said = page.locator('.dialogue');
    await said.waitFor();
    const codes = await texts(page, '.by-client code');
    assert.strictEqual(codes[0], 'EHLO client.test');
    assert.ok(codes.includes('RCPT TO:<hidden@dev.test>'), codes);
    const policy = page.locator('.by-hook', { hasText: 'policy' }).first();
    assert.match(await policy.textContent(), /policy validate_\w+accept.*\d ms$/);
    assert.match(await page.locator('.by-hook', { hasText: 'inbox' }).textContent(), /inbox deliveraccept.*\d ms$/);
    assert.match(await page.locator('.session').textContent(), /Client127\.0\.0\.1:\d+Helloclient\.test/);
  }));

test('a tab stays chosen from message to message, where there is one', async () => {
  await send([plain('No HTML'), ORDER]);
  await withPage(async (page) => {
    await row(page, 'Your order').click();
    await tab(page, 'headers');
    await page.keyboard.press('j');
    await page.locator('h1', { hasText: 'No HTML' }).waitFor();
    await becomes(() => texts(page, '[role=tab][aria-selected=true]'), ['Headers']);
    assert.deepStrictEqual(await texts(page, '.tabs [role=tab]'), ['Text', 'SMTP', 'Headers', 'Source', 'Parts']);
  });
});

test('a tag is added and taken away', () =>
  withOrder(async (page, { id }) => {
    await page.keyboard.press('t');
    await page.keyboard.type('a <b>tag</b>');
    await page.keyboard.press('Enter');
    await becomes(() => texts(page, '.message-head .tag'), ['a <b>tag</b>']);
    await becomes(async () => (await get(`messages/${id}`)).tags, ['a <b>tag</b>']);
    await page.locator('.message-head .tag button').click();
    await becomes(async () => (await get(`messages/${id}`)).tags, []);
    await becomes(() => page.locator('.message-head .tag').count(), 0);
  }));

test('what was deleted elsewhere is said to be gone', async () => {
  await withPage(
    async (page) => {
      await page.locator('.notice', { hasText: 'This message is gone' }).waitFor();
    },
    { path: '#/0123456789abcdef0123456789abcdef' },
  );
});

test('a refused session is an attempt, with the reason and the hook', () =>
  withPage(async (page) => {
    await page.keyboard.press('g');
    await page.keyboard.press('a');
    await becomes(() => texts(page, '#list-bar strong'), ['Attempts']);
    const before = await rows(page).count();
    await send(plain('Never'), { to: ['ghost@dev.test'] });
    await becomes(() => rows(page).count(), before + 1);
    const attempt = rows(page).first();
    assert.strictEqual(await attempt.locator('.outcome').textContent(), 'refused');
    assert.match(await attempt.locator('.subject').textContent(), /^550 5\.1\.1 no such user/);
    assert.strictEqual(await attempt.locator('.hook').textContent(), 'policy');
    await attempt.click();
    await page.locator('.dialogue').waitFor();
    assert.match(await page.locator('.verdict.is-bad').textContent(), /reject/);
    assert.match(await page.locator('.code-5').first().textContent(), /550/);
  }));
