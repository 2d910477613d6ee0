// A command line as a value (RFC 5321 §4.1.1).
//
// It is read in two steps, so that a command out of place is refused before anybody looks at its arguments: verb_of()
// says which command it is, and the Session asks for the arguments of the ones it will run.

#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "proto/mail/envelope.h"

namespace hooksmtpd::smtp {

enum class Verb : std::uint8_t {
  kEhlo,
  kHelo,
  kMail,
  kRcpt,
  kData,
  kRset,
  kNoop,
  kQuit,
  kVrfy,
  kExpn,
  kHelp,
  kLhlo,
  kStartTls,
  kAuth,
  kBdat,
  kXclient,
  kUnknown,
};

// "MAIL"; empty for kUnknown.
std::string_view to_string(Verb verb);

struct CommandLine {
  Verb verb;
  std::string_view arguments;  // what follows the space behind the verb, without white space at its end (§4.1.1)
};

// `line` comes without its CRLF. Verbs are known in any case (§2.4).
CommandLine split_command(std::string_view line);

// A command holds printable ASCII only; anything else is refused before a hook hears of it. kUtf8 is for MAIL, RCPT,
// VRFY and EXPN where SMTPUTF8 is offered (RFC 6531 §3.1): characters beyond ASCII, but none that controls anything.
bool is_printable(std::string_view line, mail::Characters characters = mail::Characters::kAscii);

// The first line of an HTTP request, or its Host header: a browser that was talked into speaking to this port.
bool is_http(std::string_view line);

namespace command {

struct Mail {
  mail::ReversePath reverse_path;
  mail::Parameters params;
};

struct Rcpt {
  mail::Mailbox mailbox;
  mail::Parameters params;
};

// BDAT (RFC 3030 §2).
struct Bdat {
  std::uint64_t size;
  bool last;
};

}  // namespace command

// kLenient also takes spaces around a path, a path without angle brackets, and a parameter right behind them.
enum class Syntax : std::uint8_t { kStrict, kLenient };

// Arguments of MAIL, RCPT and EHLO/HELO. Addresses may be UTF-8: judge_mail() and judge_rcpt() of parameters.h refuse
// those that came without SMTPUTF8. The error is the whole reply to send, from replies.h. A source route is read
// and ignored (§3.6.1, Appendix C).
std::expected<command::Mail, std::string_view> parse_mail(std::string_view arguments, Syntax syntax = Syntax::kStrict);
std::expected<command::Rcpt, std::string_view> parse_rcpt(std::string_view arguments, Syntax syntax = Syntax::kStrict);

// A name or address literal, as the client wrote it. More is let pass than §4.1.2 allows, since half the machines in
// the world do not know their own name.
std::expected<std::string_view, std::string_view> parse_helo(std::string_view arguments);

// Why the argument of BDAT cannot be used. `size` is there where at least the number could be read: so many octets of
// message follow the line all the same. nullopt: nobody knows how many.
struct BadBdat {
  std::string_view reply;
  std::uint64_t size;
};
std::expected<command::Bdat, BadBdat> parse_bdat(std::string_view arguments);

}  // namespace hooksmtpd::smtp
