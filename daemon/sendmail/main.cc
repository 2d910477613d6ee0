// sendmail: gives a message to hooksmtpd, for programs that know no SMTP but know how to run /usr/sbin/sendmail.
//
// It is a client like any other: no privilege, no queue, no file of the daemon. What the server does not take, the
// caller hears of at once, by the exit status and on standard error.

#include <fmt/format.h>
#include <limits.h>
#include <pwd.h>
#include <sysexits.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "daemon/sendmail/addresses.h"
#include "daemon/sendmail/copy.h"
#include "daemon/sendmail/deliver.h"
#include "daemon/sendmail/dialogue.h"
#include "daemon/sendmail/message.h"
#include "daemon/sendmail/options.h"
#include "daemon/sendmail/server.h"

namespace hooksmtpd::sendmail {
namespace {

constexpr const char* kUsage =
    "usage: sendmail [-itv] [-f sender] [-F name] [-N notify] [-R return] [-V id] [--server where] [--] [recipient "
    "...]\n"
    "       sendmail -bs [--server where]\n"
    "Gives the message on standard input to hooksmtpd; with -t to those whom its To, Cc and Bcc name. -bs: SMTP "
    "itself.\n"
    "See hooksmtpd-sendmail(8).\n";

// What completes an address without a domain: /etc/mailname (Debian Policy 11.6), else the host's name.
std::string own_domain() {
  std::string name;
  std::getline(std::ifstream("/etc/mailname"), name);
  if (const auto domain = mail::parse_domain(name)) return *domain;
  std::array<char, HOST_NAME_MAX + 1> host{};
  ::gethostname(host.data(), host.size() - 1);
  return mail::parse_domain(host.data()).value_or("localhost");
}

struct Caller {
  std::string login;
  std::string full_name;
};

Caller caller() {
  const passwd* entry = ::getpwuid(::getuid());
  if (entry == nullptr) return {.login = fmt::format("uid{}", ::getuid()), .full_name = {}};
  const std::string comment = entry->pw_gecos == nullptr ? "" : entry->pw_gecos;
  return {.login = entry->pw_name, .full_name = comment.substr(0, comment.find(','))};
}

// -f: one address, or none for a message that nobody may answer.
Result<mail::ReversePath> parse_sender(const std::string& text, const std::string& domain) {
  if (text.empty() || text == "<>") return mail::ReversePath();
  auto found = parse_addresses(text, domain);
  if (!found || found->size() != 1) return fail(EX_USAGE, fmt::format("-f {}: one address is wanted", text));
  return std::move(found->front());
}

// From the command line, and with -t from the header besides; each once.
Result<std::vector<mail::Mailbox>> recipients(const Options& options, const Header& header, const std::string& domain) {
  std::vector<mail::Mailbox> all;
  for (const std::string& argument : options.recipients) {
    const auto found = parse_addresses(argument, domain);
    if (!found || found->empty()) return fail(EX_USAGE, fmt::format("{}: not an address", argument));
    all.insert(all.end(), found->begin(), found->end());
  }
  if (options.recipients_from_header) {
    const auto found = recipients_of(header, domain);
    if (!found) return std::unexpected(found.error());
    all.insert(all.end(), found->begin(), found->end());
  }
  std::set<std::string> seen;
  std::erase_if(all, [&](const mail::Mailbox& one) { return !seen.insert(mail::to_string(one)).second; });
  return all;
}

Result<> send_message(const Options& options) {
  const std::string domain = own_domain();
  const Caller who = caller();
  auto sender = parse_sender(options.sender.value_or(who.login), domain);
  if (!sender) return std::unexpected(sender.error());
  if (options.recipients.empty() && !options.recipients_from_header) {
    return fail(EX_USAGE, "no recipient: name some, or use -t for those in the header");
  }

  auto message = read_message(STDIN_FILENO, options.dot_is_text ? LineEnds::Dot::kIsText : LineEnds::Dot::kEnds);
  if (!message) return std::unexpected(message.error());
  auto to = recipients(options, message->header, domain);
  if (!to) return std::unexpected(to.error());
  if (to->empty()) return fail(EX_USAGE, "no recipient in To, Cc or Bcc");
  complete(message->header,
           {.name = options.full_name.empty() ? who.full_name : options.full_name,
            .mailbox = sender->value_or(mail::Mailbox{.local_part = "MAILER-DAEMON", .domain = domain}),
            .domain = domain});

  auto connected = connect_to(servers(options.server, ::getuid()));
  if (!connected) return std::unexpected(connected.error());
  Dialogue dialogue(*std::move(connected), options.verbose ? Dialogue::Show::kLines : Dialogue::Show::kNothing);
  return deliver(dialogue, *message,
                 {.client_name = domain,
                  .sender = *std::move(sender),
                  .recipients = *std::move(to),
                  .notify = options.notify,
                  .ret = options.ret,
                  .envelope_id = options.envelope_id});
}

Result<> relay_session(const Options& options) {
  const auto connected = connect_to(servers(options.server, ::getuid()));
  if (!connected) return std::unexpected(connected.error());
  return copy_both_ways(STDIN_FILENO, STDOUT_FILENO, connected->get());
}

Result<> run(const Options& options) {
  switch (options.mode) {
    case Mode::kSend:
      return send_message(options);
    case Mode::kSession:
      return relay_session(options);
    case Mode::kNothing:
      return {};
    case Mode::kHelp:
      fmt::print("{}", kUsage);
      return {};
    case Mode::kVersion:
      fmt::print("sendmail (hooksmtpd) " HOOKSMTPD_VERSION "\n");
      return {};
  }
  std::abort();
}

int report(const Failure& failure) {
  fmt::print(stderr, "sendmail: {}\n", failure.text);
  return failure.status;
}

int run(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto options = parse_options({argv + std::min(argc, 1), argv + argc});
  if (!options) return report(options.error());
  const auto done = run(*options);
  return done ? EX_OK : report(done.error());
}

}  // namespace
}  // namespace hooksmtpd::sendmail

int main(int argc, char** argv) try {
  return hooksmtpd::sendmail::run(argc, argv);
} catch (const std::exception& error) {
  fmt::print(stderr, "sendmail: {}\n", error.what());
  return EX_OSERR;
}
