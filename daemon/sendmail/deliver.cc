#include "daemon/sendmail/deliver.h"

#include <fmt/format.h>
#include <sysexits.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <set>

#include "proto/mail/idn.h"

namespace hooksmtpd::sendmail {
namespace {

bool is_ascii(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) > 127; });
}

enum class About { kRecipient, kAnythingElse };

int status_of(int code, About about) {
  if (code < 500) return EX_TEMPFAIL;
  if (code == 530 || code == 535 || code == 538) return EX_NOPERM;  // RFC 4954 §6
  if (about == About::kRecipient && (code == 550 || code == 551 || code == 553)) return EX_NOUSER;
  return EX_UNAVAILABLE;
}

Result<> judge(const Result<Reply>& reply, About about = About::kAnythingElse) {
  if (!reply) return std::unexpected(reply.error());
  if (reply->ok()) return {};
  return fail(status_of(reply->code, about), reply->text);
}

// The keywords of a reply to EHLO (RFC 5321 §4.1.1.1), in upper case.
std::set<std::string> keywords(const std::string& reply) {
  std::set<std::string> out;
  for (std::size_t line = reply.find('\n'); line != std::string::npos; line = reply.find('\n', line + 1)) {
    const std::size_t begin = std::min(line + 5, reply.size());
    std::string keyword = reply.substr(begin, reply.find_first_of(" \n", begin) - begin);
    std::ranges::transform(keyword, keyword.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    out.insert(std::move(keyword));
  }
  return out;
}

// EHLO, or HELO where that is not known (§3.2).
Result<std::set<std::string>> greet(Dialogue& dialogue, const std::string& name) {
  if (const auto greeting = judge(dialogue.reply()); !greeting) return std::unexpected(greeting.error());
  const auto ehlo = dialogue.say("EHLO " + name);
  if (ehlo && ehlo->ok()) return keywords(ehlo->text);
  if (!ehlo || ehlo->code < 500) return std::unexpected(judge(ehlo).error());
  const auto helo = judge(dialogue.say("HELO " + name));
  if (!helo) return std::unexpected(helo.error());
  return {};
}

// The address as this server takes it; without SMTPUTF8 a domain beyond ASCII has its A-labels (RFC 6531 §3.2).
Result<std::string> path(const mail::ReversePath& address, const std::set<std::string>& known) {
  if (!address || mail::is_ascii(*address) || known.contains("SMTPUTF8")) return mail::to_string(address);
  mail::Mailbox ascii = *address;
  ascii.domain = mail::ascii_domain(ascii.domain);
  if (mail::is_ascii(ascii)) return mail::to_string(ascii);
  return fail(EX_UNAVAILABLE, fmt::format("<{}>: the server does not offer SMTPUTF8", mail::to_string(address)));
}

// MAIL with what the message needs and the server knows.
Result<std::string> mail_command(const Message& message, const Transaction& transaction,
                                 const std::set<std::string>& known) {
  const auto sender = path(transaction.sender, known);
  if (!sender) return sender;
  const bool utf8 = (transaction.sender && !mail::is_ascii(*transaction.sender)) ||
                    !std::ranges::all_of(transaction.recipients, mail::is_ascii) || !is_ascii(message.header.text());
  std::string command = fmt::format("MAIL FROM:<{}>", *sender);
  const auto add = [&](const char* keyword, const std::string& parameter) {
    if (known.contains(keyword)) command += " " + parameter;
  };
  add("SIZE", fmt::format("SIZE={}", message.size()));
  if (utf8 || message.eight_bit_body) add("8BITMIME", "BODY=8BITMIME");
  if (utf8) add("SMTPUTF8", "SMTPUTF8");
  if (!transaction.ret.empty()) add("DSN", "RET=" + transaction.ret);
  if (!transaction.envelope_id.empty()) add("DSN", "ENVID=" + transaction.envelope_id);
  return command;
}

// All are asked, so that one run names everybody who was refused.
Result<> name_recipients(Dialogue& dialogue, const Transaction& transaction, const std::set<std::string>& known) {
  Failure refused{.status = EX_OK, .text = {}};
  for (const mail::Mailbox& one : transaction.recipients) {
    const auto address = path(one, known);
    if (!address) return std::unexpected(address.error());
    std::string command = fmt::format("RCPT TO:<{}>", *address);
    if (known.contains("DSN") && !transaction.notify.empty()) command += " NOTIFY=" + transaction.notify;
    const auto reply = dialogue.say(command);
    if (!reply) return std::unexpected(reply.error());
    const auto judged = judge(reply, About::kRecipient);
    if (judged) continue;
    // Trying again does not help as long as one is refused for good.
    if (refused.status == EX_OK || refused.status == EX_TEMPFAIL) refused.status = judged.error().status;
    refused.text += fmt::format("{}<{}>: {}", refused.text.empty() ? "" : "\n", *address, judged.error().text);
  }
  if (refused.status != EX_OK) return std::unexpected(std::move(refused));
  return {};
}

// Adds a dot before each dot that begins a line (§4.5.2).
class DotStuffing {
 public:
  Result<> send(Dialogue& dialogue, std::string_view bytes) {
    stuffed_.clear();
    while (!bytes.empty()) {
      if (bytes.front() == '.' && last_ == '\n') stuffed_ += '.';
      const std::size_t taken = std::min(bytes.find('\n'), bytes.size() - 1) + 1;
      stuffed_ += bytes.substr(0, taken);
      last_ = bytes[taken - 1];
      bytes.remove_prefix(taken);
    }
    return dialogue.send(stuffed_);
  }

 private:
  std::string stuffed_;
  char last_ = '\n';
};

Result<> send_octets(Dialogue& dialogue, const Message& message) {
  DotStuffing stuffing;
  auto sent = stuffing.send(dialogue, message.header.text() + "\r\n");
  std::array<char, 64 * 1024> piece;
  std::uint64_t offset = 0;
  while (sent) {
    const std::size_t length = message.body.read(offset, piece);
    if (length == 0) break;
    sent = stuffing.send(dialogue, {piece.data(), length});
    offset += length;
  }
  return sent;
}

Result<> send_message(Dialogue& dialogue, const Message& message) {
  const auto sent = send_octets(dialogue, message);
  if (sent) return judge(dialogue.say(".", kPatienceAtTheEnd));
  // A server that closes in the middle may have said why.
  const auto last_words = dialogue.reply(std::chrono::seconds(1));
  return last_words && !last_words->ok() ? judge(last_words) : sent;
}

}  // namespace

Result<> deliver(Dialogue& dialogue, const Message& message, const Transaction& transaction) {
  const auto known = greet(dialogue, transaction.client_name);
  if (!known) return std::unexpected(known.error());
  const auto mail = mail_command(message, transaction, *known);
  if (!mail) return std::unexpected(mail.error());
  auto done = judge(dialogue.say(*mail));
  if (done) done = name_recipients(dialogue, transaction, *known);
  if (done) done = judge(dialogue.say("DATA"));
  if (done) done = send_message(dialogue, message);
  static_cast<void>(dialogue.say("QUIT", std::chrono::seconds(5)));  // its reply changes nothing
  return done;
}

}  // namespace hooksmtpd::sendmail
