// Sends what stands on stdin, JSON as nodemailer's sendMail() takes it (`raw` in base64), to 127.0.0.1:25, or to where its
// `transport` says.
const nodemailer = require('/usr/share/nodejs/nodemailer');

const { transport: options, ...mail } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
if (mail.raw) mail.raw = Buffer.from(mail.raw, 'base64');
const transport = nodemailer.createTransport(options || { host: '127.0.0.1', port: 25, name: 'client.test', ignoreTLS: true });
transport.sendMail(mail).then(
  (info) => console.log(JSON.stringify(info)),
  (error) => {
    console.error(error.message);
    process.exit(1);
  },
);
