// Messages that want to be markup of the page, or to be opened by themselves. See hostile_html.test.js for those that
// are HTML.
'use strict';

const {
  assert,
  becomes,
  elsewhere,
  empty,
  get,
  harmless,
  plain,
  row,
  rows,
  send,
  test,
  texts,
  watch,
  withPage,
} = require('./support.js');

test.beforeEach(async () => {
  await empty();
  elsewhere.connections = 0;
});

test('pictures are fetched when they are asked for, and only then', async () => {
  await send(
    plain('hostile', {
      more: 'MIME-Version: 1.0\nContent-Type: text/html\n',
      body: '<img src="http://evil.test/pixel.gif"><img src="https://evil.test/pixel.gif"><script>console.log("owned")</script>',
    }),
  );
  await withPage(async (page) => {
    await row(page, 'hostile').click();
    await page.frameLocator('.stage iframe').locator('img').first().waitFor({ state: 'attached' });
    assert.strictEqual(elsewhere.connections, 0);
    await page.getByRole('button', { name: 'Load remote images' }).click();
    await becomes(() => elsewhere.connections > 0, true);
    assert.deepStrictEqual(page.wrong, []);
  });
});

const MARKUP = '<img src=x onerror=console.log("owned")>';
const TAG = MARKUP.replaceAll('"', "'");

test('what stands in header fields, names of files, types, and tags is text', async () => {
  const encoded = `=?utf-8?b?${Buffer.from(`"'>${MARKUP}<script>console.log("owned")</script>\u202egnp.exe`).toString('base64')}?=`;
  await send(`From: ${encoded} <"<b>"@evil.test>
To: ${encoded} <bob@dev.test>, ${MARKUP} <x@y>
Cc: "javascript:alert(1)" <c@d.test>
Reply-To: ${encoded} <r@evil.test>
Subject: ${encoded}
Message-ID: <"><script>@evil.test>
X-<b>: ${MARKUP}
List-Unsubscribe: <javascript:console.log('owned')>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="<b>"

--<b>
Content-Type: text/plain

${MARKUP} https://evil.test/"onmouseover="console.log('owned') javascript:console.log('owned')
--<b>
Content-Type: text/html

<a href="javascript:console.log('owned')">${MARKUP.replaceAll('<', '&lt;')}</a>
<a href='https://evil.test/"><script>console.log("owned")</script>'>x</a>
--<b>
Content-Type: application/<script>; name="${MARKUP.replaceAll('"', '\\"')}"
Content-Disposition: attachment; filename="../../../../etc/passwd${MARKUP.replaceAll('"', '\\"')}.html"
Content-ID: <"><img src=x onerror=console.log('owned')>
Content-Transfer-Encoding: base64

PHNjcmlwdD5jb25zb2xlLmxvZygnb3duZWQnKTwvc2NyaXB0Pg==
--<b>
Content-Type: image/svg+xml; name="x.svg"
Content-Disposition: inline; filename="x.svg"

<svg xmlns="http://www.w3.org/2000/svg" onload="console.log('owned')"><script>console.log('owned')</script><image href="https://evil.test/i"/></svg>
`);
  await withPage(async (page) => {
    const asked = watch(page);
    await rows(page).first().waitFor();
    assert.match(await rows(page).first().textContent(), /<img src=x onerror/);
    assert.ok(!(await page.locator('body').textContent()).includes('\u202e'), 'nothing turns the text around');
    await rows(page).first().click();
    await page.locator('.tabs').waitFor();
    await page.keyboard.press('t');
    await page.keyboard.type(TAG);
    await page.keyboard.press('Enter');
    await becomes(() => texts(page, '.message-head .tag'), [TAG]);
    for (const tab of await page.locator('.tabs [role=tab]').all()) {
      await tab.click();
      await page.locator('#panel > *').first().waitFor();
      await harmless(page, asked, await tab.textContent());
    }
    await page.locator('#tab-links').click();
    await becomes(() => page.locator('.link-url a[href^="javascript:"]').count(), 0);
    assert.strictEqual(await page.locator('[onerror], script:not([src]), #main img[src="x"]').count(), 0);
    await page.locator('.place', { hasText: TAG }).click();
    await becomes(() => rows(page).count(), 1);
    await harmless(page, asked, 'the tag in the search');
  });
});

test('an attachment that is opened by itself is a download, or can do nothing', async () => {
  await send(
    plain('files', {
      more: 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n',
      body:
        ['text/html', 'image/svg+xml', 'application/xhtml+xml', 'text/plain', 'image/png']
          .map(
            (type, at) =>
              `--b\nContent-Type: ${type}; name=f${at}\nContent-Disposition: attachment; filename=f${at}\n\n<svg xmlns="http://www.w3.org/2000/svg" onload="console.log('owned')"/><script>console.log('owned')</script>\n`,
          )
          .join('') + '--b--\n',
    }),
  );
  const {
    messages: [{ id }],
  } = await get('messages');
  const { attachments } = await get(`messages/${id}`);
  assert.strictEqual(attachments.length, 5);
  for (const { part } of attachments) {
    const answer = await fetch(new URL(`api/v2/messages/${id}/parts/${part}`, process.env.INBOX_URL));
    assert.match(answer.headers.get('content-disposition'), /^attachment/);
    assert.strictEqual(answer.headers.get('x-content-type-options'), 'nosniff');
    await answer.arrayBuffer();
  }
  await withPage(async (page) => {
    for (const sub of ['html', 'source', 'text']) {
      const answer = await page
        .goto(new URL(`api/v2/messages/${id}/${sub}`, process.env.INBOX_URL).href)
        .catch(() => null);
      if (answer)
        assert.ok(
          /sandbox/.test(answer.headers()['content-security-policy']) ||
            /^text\/plain|json/.test(answer.headers()['content-type']),
          sub,
        );
    }
  });
});

test('the page as it is served lets nothing inline run, and is framed by nobody', async () => {
  const answer = await fetch(process.env.INBOX_URL);
  const policy = answer.headers.get('content-security-policy');
  for (const rule of [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ])
    assert.ok(policy.includes(rule), policy);
  await withPage(async (page) => {
    const refused = await page.evaluate(() => {
      try {
        document.createElement('div').innerHTML = '<b>x</b>';
        return false;
      } catch {
        return true;
      }
    });
    assert.strictEqual(refused, true, 'not even by mistake does text become markup');
  });
});
