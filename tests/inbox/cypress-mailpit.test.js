// The commands of cypress-mailpit, with as much of Cypress as they use: requests as cy.request makes them, and chains.
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');

const FILE = path.join(process.env.NPM_MODULES, 'cypress-mailpit/dist/src/MailpitCommands.js');

globalThis.Cypress = { expose: () => process.env.INBOX_URL, config: () => 4000 };
globalThis.cy = {
  env: async () => ({}),
  wrap: async (value) => value,
  wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  async request({ method, url, body, qs }) {
    const response = await fetch(`${url}${qs ? `?${new URLSearchParams(qs)}` : ''}`, {
      method,
      body: body && JSON.stringify(body),
      headers: body && { 'Content-Type': 'application/json' },
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${url}: ${response.status} ${text}`);
    const isJson = response.headers.get('Content-Type').startsWith('application/json');
    return { status: response.status, body: isJson ? JSON.parse(text) : text };
  },
};

test('the commands', async () => {
  // The package is for bundlers: Node would take the file for CommonJS.
  const source = `data:text/javascript,${encodeURIComponent(fs.readFileSync(FILE, 'utf8'))}`;
  const { MailpitCommands } = await import(source);
  const mailpit = new MailpitCommands();
  assert.strictEqual((await mailpit.mailpitGetMail()).Subject, 'by SMTP');
  await mailpit.mailpitSendMail();
  await mailpit.mailpitSendMail({
    to: [{ Email: 'other@example.com', Name: 'Other' }],
    subject: 'Second',
    attachments: [{ Content: Buffer.from('x').toString('base64'), Filename: 'x.txt', ContentType: 'text/plain' }],
  });
  assert.strictEqual((await mailpit.mailpitGetAllMails()).messages_count, 3);
  assert.strictEqual((await mailpit.mailpitGetAllMails(1, 1)).messages.length, 1);
  assert.strictEqual((await mailpit.mailpitHasEmailsBySubject('Second')).messages_count, 1);
  assert.strictEqual((await mailpit.mailpitHasEmailsByTo('other@example.com')).messages_count, 1);
  await mailpit.mailpitNotHasEmailsBySubject('Third');
  const message = await mailpit.mailpitGetMail();
  assert.deepStrictEqual(await mailpit.mailpitGetRecipientAddress(message), ['other@example.com']);
  assert.strictEqual(await mailpit.mailpitGetFromAddress(message), 'from@example.com');
  assert.strictEqual(await mailpit.mailpitGetSubject(message), 'Second');
  assert.deepStrictEqual(await mailpit.mailpitGetAttachments(message), ['x.txt']);
  assert.match(await mailpit.mailpitGetMailHTMlBody(message), /<p>hello from mailpit<\/p>/);
  assert.strictEqual(await mailpit.mailpitGetMailTextBody(message), 'hello from mailpit');
  await assert.rejects(mailpit.mailpitGetMailSpamAssassinSummary(message), /no SpamAssassin/);
  const unread = async () => (await mailpit.mailpitSearchEmails('is:unread')).messages_count;
  await mailpit.mailpitSetAllEmailStatusAsUnRead();
  assert.strictEqual(await unread(), 3);
  await mailpit.mailpitSetStatusAsRead(message);
  assert.strictEqual(await unread(), 2);
  await mailpit.mailpitSetAllEmailStatusAsRead();
  await mailpit.mailpitSetStatusAsUnRead([message]);
  assert.strictEqual(await unread(), 1);
  await mailpit.mailpitDeleteEmailsBySearch('subject:Second');
  assert.strictEqual((await mailpit.mailpitGetAllMails()).messages_count, 2);
  await mailpit.mailpitDeleteAllEmails();
  await mailpit.mailpitNotHasEmailsBySearch('');
  assert.strictEqual((await mailpit.mailpitGetAllMails()).messages_count, 0);
});
