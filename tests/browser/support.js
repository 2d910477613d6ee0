// A browser, the inbox's page in it, and mail for it. INBOX_URL and SMTP_PORT say where; all of it is in a network
// namespace of the test's own.
'use strict';

const assert = require('node:assert');
const net = require('node:net');
const test = require('node:test');
const { chromium } = require('playwright-core');

const URL_OF_PAGE = process.env.INBOX_URL;
const DESKTOP = { width: 1400, height: 900 };
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const PATIENCE = 10000; // ms for what should happen at once

let browser;
// Whoever is asked for, but the inbox itself: every other name and address leads here. Who asks for evil.test, by HTTP or
// in a TLS hello, is counted; Chromium has business of its own with others.
const elsewhere = {
  connections: 0,
  server: net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (piece) => {
      if (piece.includes('evil.test')) elsewhere.connections += 1;
      socket.destroy();
    });
  }),
};

test.before(async () => {
  await new Promise((resolve) => elsewhere.server.listen(0, '127.0.0.1', resolve));
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      `--host-resolver-rules=MAP * 127.0.0.1:${elsewhere.server.address().port}, EXCLUDE 127.0.0.1`,
    ],
  });
});

test.after(async () => {
  await browser?.close();
  elsewhere.server.close();
});

// work(page) with a page of its own, which must log no error and open no dialog of the browser.
async function withPage(work, { path = '', ...options } = {}) {
  const context = await browser.newContext({ viewport: DESKTOP, locale: 'en-GB', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.wrong = [];
  page.on('pageerror', (error) => page.wrong.push(`error: ${error.stack}`));
  page.on('dialog', (dialog) => {
    page.wrong.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on('console', (message) => {
    if (/owned/.test(message.text()) && !/Content Security Policy|sandboxed|^Blocked setting/.test(message.text()))
      page.wrong.push(`script: ${message.text()}`);
  });
  try {
    await page.goto(URL_OF_PAGE + path);
    await page.waitForSelector('#state[data-state=live]', { state: 'attached' });
    await work(page);
    assert.deepStrictEqual(page.wrong, []);
  } finally {
    await context.close();
  }
}

// All that the browser is asked to fetch for the page, and for what is in it.
function watch(page) {
  const asked = [];
  page.context().on('request', (request) => asked.push(request.url()));
  return asked;
}

// Nothing has run, nobody else was asked, and the page is where and what it was. `what`: is being looked at.
async function harmless(page, asked, what) {
  assert.deepStrictEqual(page.wrong, [], what);
  assert.match(await page.title(), /^(\(\d+\) )?Inbox · /, what);
  assert.strictEqual(new URL(page.url()).origin, new URL(URL_OF_PAGE).origin, what);
  assert.strictEqual(
    elsewhere.connections,
    0,
    `${what}\nasked for: ${asked.filter((url) => !url.startsWith(URL_OF_PAGE))}`,
  );
}

const crlf = (text) => text.replace(/\r?\n/g, '\r\n');

// Sends messages in one session, from the address to the recipients given. It ends with the first one that is refused.
function send(messages, { from = 'ann@client.test', to = ['bob@dev.test'] } = {}) {
  return new Promise((resolve, reject) => {
    const commands = [['EHLO client.test', 250]];
    for (const message of [messages].flat()) {
      const body = Buffer.isBuffer(message)
        ? message.toString('latin1')
        : Buffer.from(crlf(message)).toString('latin1');
      commands.push(
        [`MAIL FROM:<${from}>`, 250],
        ...to.map((one) => [`RCPT TO:<${one}>`, 0]),
        ['DATA', 354],
        [`${body.replace(/^\./gm, '..')}${body.endsWith('\r\n') ? '' : '\r\n'}.`, 250],
      );
    }
    commands.push(['QUIT', 221]);
    const socket = net.connect(Number(process.env.SMTP_PORT), '127.0.0.1');
    let text = '';
    let expected = 220;
    socket.setEncoding('latin1');
    socket.on('error', reject);
    socket.on('data', (piece) => {
      text += piece;
      for (let end; (end = text.indexOf('\r\n')) >= 0;) {
        const line = text.slice(0, end);
        text = text.slice(end + 2);
        if (line[3] === '-') continue;
        if (expected && Number(line.slice(0, 3)) !== expected) return reject(new Error(`not ${expected}: ${line}`));
        if (!expected && line[0] === '5') commands.splice(0, commands.length - 1); // a recipient is refused: QUIT
        if (!commands.length) return resolve();
        const [command, code] = commands.shift();
        expected = code;
        socket.write(`${command}\r\n`, 'latin1');
      }
      return undefined;
    });
  });
}

// A plain message.
const plain = (subject, { from = 'Ann Example <ann@client.test>', body = 'Hello.\n', more = '' } = {}) =>
  `From: ${from}\nTo: Bob <bob@dev.test>\nSubject: ${subject}\nMessage-ID: <${subject.replace(/\W/g, '')}@client.test>\n${more}\n${body}`;

const get = async (path) => (await fetch(new URL(`api/v2/${path}`, URL_OF_PAGE))).json();

// Takes all messages away, as one would with curl.
async function empty() {
  const answer = await fetch(new URL('api/v2/messages/actions', URL_OF_PAGE), {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      ...(process.env.INBOX_TOKEN && { 'X-Inbox-Token': process.env.INBOX_TOKEN }),
    },
    body: JSON.stringify({ query: '', action: 'delete' }),
  });
  assert.strictEqual(answer.status, 200, await answer.text());
}

// Waits until value() is what is expected.
async function becomes(value, expected) {
  const end = Date.now() + PATIENCE;
  let last;
  for (;;) {
    last = await value();
    try {
      assert.deepStrictEqual(last, expected);
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const rows = (page) => page.locator('.row');
const row = (page, text) => page.locator('.row', { hasText: text });
const texts = (page, selector) => page.locator(selector).allTextContents();
const focused = (page) =>
  page.evaluate(
    () =>
      document.activeElement.closest('[id], .row, h1')?.id ||
      document.activeElement.className ||
      document.activeElement.tagName,
  );

module.exports = {
  PHONE,
  assert,
  becomes,
  elsewhere,
  empty,
  focused,
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
};
