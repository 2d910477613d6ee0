// libFuzzer: a client that knows every command and no order: each octet of the input is a step. EHLO, MAIL, RCPT, DATA,
// BDAT, RSET, AUTH, STARTTLS, XCLIENT, handshakes, verdicts, and the loss of the connection come as they come.
//
// A session must survive it with well-formed replies, keep no more than one line waiting, say nothing after a handshake
// of what it was told before (RFC 3207 §4.2), and never run what stands in a message.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "proto/sasl/password_file.h"
#include "proto/smtp/fuzz_host.h"
#include "proto/smtp/session.h"

using namespace hooksmtpd;
using namespace hooksmtpd::smtp;

namespace {

// Where '@' stands comes a letter for the number of handshakes there were; no reply may have that of another time.
constexpr std::array<std::string_view, 40> kSteps{
    "EHLO said-@.test\r\n",
    "LHLO said-@.test\r\n",
    "HELO said-@.test\r\n",
    "MAIL FROM:<said-@@b.test>\r\n",
    "MAIL FROM:<> BODY=BINARYMIME\r\n",
    "MAIL FROM:<\xc3\xa9@b.test> SMTPUTF8\r\n",
    "RCPT TO:<said-@@b.test>\r\n",
    "RCPT TO:<postmaster>\r\n",
    "DATA\r\n",
    "text\r\n.\r\n",
    "\r\n.\r\n",
    "\n.\nEHLO message.test\r\n",
    "BDAT 0\r\n",
    "BDAT 0 LAST\r\n",
    "BDAT 19\r\nEHLO message.test\r\n",
    "BDAT 19 LAST\r\nEHLO message.test\r\n",
    "BDAT 21 LAST\r\n\nEHLO message.test\r\n\r",
    "BDAT 19 NOW\r\nEHLO message.test\r\n",
    "BDAT 1000 LAST\r\n",
    "BDAT 99999999999999999999\r\n",
    "BDAT x\r\n",
    "RSET\r\n",
    "STARTTLS\r\n",
    "STARTTLS\r\nEHLO injected.test\r\nMAIL FROM:<injected@b.test>\r\n",
    "AUTH PLAIN\r\n",
    "AUTH PLAIN AGFubgBzZWNyZXQ=\r\n",
    "AUTH LOGIN\r\n",
    "AUTH SCRAM-SHA-256 biwsbj1hbm4scj1yT3ByTkdmd0ViZVJXZ2JORWtxTw==\r\n",
    "AUTH XOAUTH2 dXNlcj1hbm4BYXV0aD1CZWFyZXIgdG9rZW4BAQ==\r\n",
    "YW5u\r\n",
    "*\r\n",
    "\r\n",
    "XCLIENT ADDR=192.0.2.9 LOGIN=ann\r\n",
    "XCLIENT HELO=said-@.test\r\n",
    "NOOP\r\n",
    "VRFY x\r\n",
    "XFROB said-@\r\n",
    "EHLO half",
    "\x16\x03",
    "QUIT\r\n",
};

class OrderHost final : public FuzzHost {
 public:
  void reply(std::string_view wire) override {
    FuzzHost::reply(wire);
    require_current(wire);
    require(!in_chunk || wire.find("Hello message.test") == wire.npos);
    challenged = wire.starts_with("334 ");
  }
  void body(std::string_view run) override { require_current(run); }
  void heard(std::string_view line) override {
    FuzzHost::heard(line);
    require_current(line);
  }
  void ask(QuestionId id, const Question& question) override {
    FuzzHost::ask(id, question);
    if (const auto* data = std::get_if<question::Data>(&question); data && data->chunk) chunk_question = id;
  }

  char epoch = 'a';
  bool in_chunk = false;    // what comes now stands behind a BDAT
  bool challenged = false;  // by the last reply
  QuestionId chunk_question = 0;

 private:
  void require_current(std::string_view text) const {
    for (std::size_t at = text.find("said-"); at != text.npos; at = text.find("said-", at + 1)) {
      require(at + 5 >= text.size() || text[at + 5] == epoch);
    }
  }
};

const sasl::PasswordFile& users() {
  static const auto file =
      sasl::PasswordFile::parse(
          "ann:{SCRAM-SHA-256}4096,AAECAwQFBgcICQoLDA0ODw==$THoPhoTAuqyoQsK4dUHncUzgfD8fdmhsgKZhWVqNP5U=$"
          "7YiHMMi2OcXGRogub03Ek06JRZ9bkhTOdCzHa5iPLiQ=\n")
          .value();
  return file;
}

Settings settings_of(std::uint8_t first, std::uint8_t second) {
  Settings settings{.hostname = "mail.test", .banner = "fuzz", .message_size = 60, .recipients = 3, .errors = 0};
  const bool judged = first & 1;
  settings.judged = {.host = judged,
                     .starttls = (second & 16) != 0,
                     .helo = (second & 8) != 0,
                     .sender = judged,
                     .recipient = judged,
                     .data = (second & 32) != 0,
                     .message = judged,
                     .command = (second & 4) != 0};
  settings.judged.message |= (first & 2) != 0;
  settings.lenient = first & 4;
  settings.protocol = first & 8 ? Settings::Protocol::kLmtp : Settings::Protocol::kSmtp;
  settings.tls = first & 16 ? Settings::Tls::kRequired : Settings::Tls::kOffered;
  const auto source = static_cast<sasl::Source>(second % 3);
  settings.auth = {.source = static_cast<Settings::Auth::Source>(second % 3 + 1),
                   .required = (first & 32) != 0,
                   .before_tls = (first & 64) != 0,
                   .mechanisms = sasl::offered(source, &users()),
                   .users = &users()};
  if (first & 128) settings.hidden = {"CHUNKING", "ENHANCEDSTATUSCODES"};
  return settings;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Settings settings = settings_of(data[0], data[1]);
  OrderHost host;
  host.tls_is_available = !(data[1] & 128);
  Session session(host, settings, {.address = "192.0.2.7", .port = 1, .may_xclient = (data[1] & 64) != 0}, "f");
  session.begin();
  std::string waiting;
  const auto receive = [&](std::string_view bytes) {
    waiting += bytes;
    waiting.erase(0, session.receive(waiting));
    require(session.waiting() || waiting.size() <= kMaxAuthLine);
  };
  const auto answer = [&](std::uint8_t choice) {
    const std::size_t which = choice / 8 % host.asked.size();
    const QuestionId id = host.asked[which];
    host.asked.erase(host.asked.begin() + static_cast<std::ptrdiff_t>(which));
    mail::Verdict verdict{.action = static_cast<mail::Action>(choice % 5), .code = 0, .enhanced = "", .text = {}};
    const Transaction* transaction = session.transaction();
    if (choice & 64 && transaction) verdict.recipients.resize(transaction->envelope.recipients.size(), verdict);
    if (choice & 32) {
      verdict.rewrite = mail::Mailbox{.local_part = "rewritten", .domain = "b.test"};
      verdict.add_headers = {{.name = "X-Added", .value = "yes"}};
      verdict.abrupt = true;
    }
    session.answer(id, verdict);
    // What waited behind the BDAT that was judged is its octets.
    host.in_chunk = id == host.chunk_question && waiting == "EHLO message.test\r\n";
    receive("");
    host.in_chunk = false;
  };
  for (std::size_t i = 2; i < size && !session.closed(); ++i) {
    const std::uint8_t step = data[i];
    if (session.starting_tls() && step & 1) {
      require(session.helo().empty() && session.user().empty() && !session.transaction() && host.asked.empty());
      waiting.clear();  // RFC 3207 §4.2: both sides throw away what came in the clear
      host.epoch = static_cast<char>('a' + (host.epoch - 'a' + 1) % 26);
      session.secured({.version = "TLSv1.3", .cipher = "TLS_AES_128_GCM_SHA256", .bits = 128});
    } else if (!host.asked.empty() && step >= 128) {
      answer(step);
    } else if (step == 127) {
      session.end(static_cast<Farewell>(i % 4));
    } else {
      std::string bytes(kSteps[step % kSteps.size()]);
      host.in_chunk = bytes.starts_with("BDAT") && settings.hidden.empty() && waiting.empty() && !session.waiting() &&
                      !session.in_data() && !host.challenged;
      for (std::size_t at = bytes.find("said-@"); at != bytes.npos; at = bytes.find("said-@", at)) {
        bytes[at + 5] = host.epoch;
      }
      const std::size_t cut = step & 64 ? bytes.size() / 2 : bytes.size();
      receive(bytes.substr(0, cut));
      receive(bytes.substr(cut));
      host.in_chunk = false;
    }
  }
  while (!session.closed() && !host.asked.empty()) answer(0);
  require(session.closed() || !session.waiting());
  return 0;
}
