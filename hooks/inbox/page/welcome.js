// Nothing has come yet: how to send a first message, in a language of one's choice.

import { copyButton, fill, h, icon } from './dom.js';

const LANGUAGES = [
  [
    'Shell',
    ({ host, port }) => `curl smtp://${host}:${port} \\
  --mail-from ann@example.test --mail-rcpt bob@example.test \\
  -T - <<'END'
From: Ann <ann@example.test>
To: Bob <bob@example.test>
Subject: Hello from curl

It works.
END
`,
  ],
  [
    'Python',
    ({ host, port }) => `import smtplib
from email.message import EmailMessage

message = EmailMessage()
message["From"] = "Ann <ann@example.test>"
message["To"] = "Bob <bob@example.test>"
message["Subject"] = "Hello from Python"
message.set_content("It works.")

with smtplib.SMTP("${host}", ${port}) as server:
    server.send_message(message)
`,
  ],
  [
    'Node.js',
    ({ host, port }) => `const nodemailer = require('nodemailer');

nodemailer.createTransport({ host: '${host}', port: ${port} }).sendMail({
  from: 'Ann <ann@example.test>',
  to: 'Bob <bob@example.test>',
  subject: 'Hello from Node.js',
  text: 'It works.',
});
`,
  ],
  [
    'PHP',
    ({ host, port }) => `<?php
use PHPMailer\\PHPMailer\\PHPMailer;
require 'vendor/autoload.php';

$mail = new PHPMailer(true);
$mail->isSMTP();
$mail->Host = '${host}';
$mail->Port = ${port};
$mail->SMTPAutoTLS = false;
$mail->setFrom('ann@example.test', 'Ann');
$mail->addAddress('bob@example.test', 'Bob');
$mail->Subject = 'Hello from PHP';
$mail->Body = 'It works.';
$mail->send();
`,
  ],
  [
    'Ruby',
    ({ host, port }) => `require 'net/smtp'

message = <<~END
  From: Ann <ann@example.test>
  To: Bob <bob@example.test>
  Subject: Hello from Ruby

  It works.
END

Net::SMTP.start('${host}', ${port}) do |server|
  server.send_message message, 'ann@example.test', 'bob@example.test'
end
`,
  ],
  [
    'Go',
    ({ host, port }) => `package main

import (
	"log"
	"net/smtp"
)

func main() {
	message := "From: Ann <ann@example.test>\\r\\n" +
		"To: Bob <bob@example.test>\\r\\n" +
		"Subject: Hello from Go\\r\\n" +
		"\\r\\n" +
		"It works.\\r\\n"
	err := smtp.SendMail("${host}:${port}", nil,
		"ann@example.test", []string{"bob@example.test"}, []byte(message))
	if err != nil {
		log.Fatal(err)
	}
}
`,
  ],
];

let chosen = 0;

// addresses: where the server listens, "127.0.0.1:25".
export function welcome(element, addresses) {
  const address = addresses[0] || '127.0.0.1:25';
  const end = address.lastIndexOf(':');
  const server = { host: address.slice(0, end).replace(/^\[|\]$/g, ''), port: address.slice(end + 1) };
  const code = h('code');
  const tabs = LANGUAGES.map(([name], at) =>
    h(
      'button.tab',
      { type: 'button', role: 'tab', id: `language-${at}`, 'aria-controls': 'snippet', onclick: () => show(at) },
      name,
    ),
  );
  const show = (at) => {
    chosen = at;
    code.textContent = LANGUAGES[at][1](server);
    tabs.forEach((tab, index) => {
      tab.setAttribute('aria-selected', String(index === at));
      tab.tabIndex = index === at ? 0 : -1;
    });
  };
  const list = h('div.tabs', { role: 'tablist', 'aria-label': 'Language' }, tabs);
  list.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    show((chosen + step + tabs.length) % tabs.length);
    tabs[chosen].focus();
  });
  show(chosen);
  fill(
    element,
    h(
      'div.welcome',
      {},
      h('div.welcome-mark', {}, icon('inbox')),
      h('h2', {}, 'Waiting for the first message'),
      h('p', {}, 'Whatever is sent to ', h('strong', {}, address), ' appears here at once, and goes nowhere else.'),
      h(
        'div.snippet-box',
        {},
        h(
          'div.snippet-bar',
          {},
          list,
          h('span.grow'),
          copyButton(() => code.textContent, 'Copy the example'),
        ),
        h('pre', { id: 'snippet', role: 'tabpanel', tabindex: 0 }, code),
      ),
      h(
        'p.soft',
        {},
        'Refused or broken sessions are kept too, under Attempts. Press ',
        h('kbd', {}, '?'),
        ' for the keys.',
      ),
    ),
  );
}
