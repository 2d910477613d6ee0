// The commands that belong neither to an envelope nor to a message: who the client is, STARTTLS (RFC 3207), XCLIENT,
// and what is left of RFC 5321. That each came in its place is settled by the table in session.cc.

#include <fmt/format.h>

#include <utility>

#include "proto/smtp/help.h"
#include "proto/smtp/replies.h"
#include "proto/smtp/reply.h"
#include "proto/smtp/session.h"
#include "proto/smtp/verdict_reply.h"
#include "proto/smtp/xclient.h"

namespace hooksmtpd::smtp {

// The seed's wordings (DESIGN.md section 6) where the hook named no code.
void Session::answered(const question::Host&, const mail::Verdict& verdict) {
  if (mail::accepts(verdict)) return greet();
  if (verdict.action == mail::Action::kDefer && verdict.code == 0)
    return end(End::kHook, replies::kTryLater);  // §3.1: 4yz is 421
  state_ = State::kDenied;                       // the connection stays, for QUIT (§3.1)
  const auto reply = own_reply(verdict);
  say(reply ? reply->wire() : Reply::make(550, "", with_text("Access denied", verdict)).wire());
}

// Whether the encryption will do. Nobody asked us anything now, or will before we have greeted: the one reply that may
// come unasked is 421 (§3.8).
void Session::answered(const question::Starttls&, const mail::Verdict& verdict) {
  if (!mail::accepts(verdict)) return end_by_hook(verdict, replies::kTlsRefused);
  if (state_ == State::kGreeting) begin_client();
}

void Session::ehlo(std::string_view arguments) {
  hello(settings_.protocol == Settings::Protocol::kLmtp ? "LHLO" : "EHLO", arguments);
}

void Session::helo(std::string_view arguments) { hello("HELO", arguments); }

void Session::hello(std::string_view verb, std::string_view arguments) {
  const auto name = parse_helo(arguments);
  if (!name) return say(name.error());
  question::Helo hello{.verb = std::string(verb), .name = std::string(*name)};
  if (settings_.judged.helo) return ask(std::move(hello));
  introduce(hello);
}

// All stays as it was where the name is refused (§4.1.4). No enhanced code: RFC 2034 §4 has none in replies to EHLO and
// HELO.
void Session::answered(const question::Helo& asked, const mail::Verdict& verdict) {
  if (mail::accepts(verdict)) return introduce(asked);
  const auto reply = own_reply(verdict);
  if (reply) return say(without_enhanced_codes(reply->wire()));
  say(Reply::make(550, "", with_text("Access denied", verdict)).wire());
}

// A second EHLO is welcome and works like RSET (§4.1.4).
void Session::introduce(const question::Helo& hello) {
  forget_transaction(TransactionEnd::kHello);
  helo_ = hello.name;
  extended_ = hello.verb != "HELO";
  state_ = State::kReady;
  std::string greeting =
      fmt::format("{} Hello {} [{}], pleased to meet you", settings_.hostname, helo_, shown_address());
  if (!extended_) return say(Reply::make(250, "", greeting).wire());
  std::vector<std::string> lines = ehlo_lines(circumstances(), host_.now());
  lines.insert(lines.begin(), std::move(greeting));
  say(Reply::make(250, "", lines).wire());
}

void Session::starttls(std::string_view arguments) {
  if (tls()) return say(replies::kTlsTwice);
  if (!arguments.empty()) return say(replies::kNoParameters);  // RFC 3207 §4
  if (!host_.tls_available()) return say(replies::kNoTlsNow);
  forget_client();  // RFC 3207 §4.2
  say(replies::kStartTls);
  state_ = State::kStartingTls;
  host_.start_tls();
}

// The session begins anew, as if the client that the proxy speaks for had just connected.
void Session::xclient(std::string_view arguments) {
  auto client = parse_xclient(arguments);
  if (!client) return say(client.error());
  if (client->helo && !client->helo->empty() && !parse_helo(*client->helo)) return say(replies::kBadXclient);
  forget_client();
  if (client->address) peer_.address = *std::move(client->address);
  if (client->port) peer_.port = *client->port;
  if (client->helo) {
    helo_ = *std::move(client->helo);
    extended_ = client->protocol != "SMTP";
  }
  if (client->login && !client->login->empty()) {
    if (!extras_) extras_ = std::make_unique<Extras>();
    extras_->authenticated = true;
    extras_->user = *std::move(client->login);
  }
  begin_client();
}

void Session::rset(std::string_view arguments) {
  if (!arguments.empty()) return say(replies::kNoParameters);
  forget_transaction(TransactionEnd::kRset);
  say(replies::kOk);
}

void Session::noop(std::string_view) { say(replies::kOk); }

void Session::quit(std::string_view arguments) {
  if (!arguments.empty()) return say(replies::kNoParameters);
  say(Reply::make(221, "2.0.0", settings_.hostname + " Service closing transmission channel").wire());
  close(End::kQuit);
}

void Session::vrfy(std::string_view arguments) {
  say(arguments.empty() ? replies::kNeedsArgument : replies::kCannotVerify);  // §3.5.3: 252
}

void Session::expn(std::string_view arguments) { say(arguments.empty() ? replies::kNeedsArgument : replies::kNoExpn); }

void Session::help_topic(std::string_view arguments) {
  const auto lines = help(arguments, circumstances());
  if (lines.empty()) return say(Reply::make(504, "5.5.4", fmt::format("HELP topic \"{}\" unknown.", arguments)).wire());
  say(Reply::make(214, "2.0.0", lines).wire());
}

void Session::unknown(std::string_view line) {
  if (!settings_.judged.command || after_auth_) return say(replies::kUnknownCommand);
  ask(question::Command{.line = std::string(line)});
}

void Session::answered(const question::Command&, const mail::Verdict& verdict) {
  if (mail::accepts(verdict)) {
    return say(verdict.text.empty() ? replies::kOk : Reply::make(250, "2.0.0", verdict.text).wire());
  }
  const auto reply = own_reply(verdict);
  say(reply ? reply->wire() : Reply::make(500, "5.5.1", with_text("Invalid command", verdict)).wire());
}

}  // namespace hooksmtpd::smtp
