#include "proto/smtp/command.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "proto/mail/utf8.h"
#include "proto/smtp/limits.h"
#include "proto/smtp/replies.h"

namespace hooksmtpd::smtp {
namespace {

constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool equals_upper(std::string_view text, std::string_view upper_case) {
  return std::ranges::equal(text, upper_case, {}, upper);
}

constexpr std::array<std::pair<std::string_view, Verb>, 16> kVerbs{{
    {"EHLO", Verb::kEhlo},
    {"HELO", Verb::kHelo},
    {"MAIL", Verb::kMail},
    {"RCPT", Verb::kRcpt},
    {"DATA", Verb::kData},
    {"RSET", Verb::kRset},
    {"NOOP", Verb::kNoop},
    {"QUIT", Verb::kQuit},
    {"VRFY", Verb::kVrfy},
    {"EXPN", Verb::kExpn},
    {"HELP", Verb::kHelp},
    {"LHLO", Verb::kLhlo},
    {"STARTTLS", Verb::kStartTls},
    {"AUTH", Verb::kAuth},
    {"BDAT", Verb::kBdat},
    {"XCLIENT", Verb::kXclient},
}};

std::string_view without_trailing_space(std::string_view text) {
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

// What the replies to a bad path are called on this side of an envelope.
struct PathReplies {
  std::string_view syntax, bad, no_domain, too_long;
};
constexpr PathReplies kSender{replies::kBadMail, replies::kBadSender, replies::kSenderNoDomain,
                              replies::kSenderTooLong};
constexpr PathReplies kRecipient{replies::kBadRcpt, replies::kBadRecipient, replies::kRecipientNoDomain,
                                 replies::kRecipientTooLong};

void skip_spaces(std::string_view& rest) { rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size())); }

// Takes what goes on to the next space off the front of `rest`: a path without its brackets. A space within a
// Quoted-string ends nothing.
std::string_view take_bare_path(std::string_view& rest) {
  bool quoted = false;
  std::size_t end = 0;
  for (; end < rest.size() && (quoted || rest[end] != ' '); ++end) {
    if (rest[end] == '"') quoted = !quoted;
    if (quoted && rest[end] == '\\' && end + 1 < rest.size()) ++end;
  }
  const std::string_view path = rest.substr(0, end);
  rest.remove_prefix(end);
  return path;
}

// Takes "<" … ">" off the front of `rest` and gives what is between. A '>' within a Quoted-string ends nothing.
std::expected<std::string_view, std::string_view> take_path(std::string_view& rest, const PathReplies& replies,
                                                            Syntax syntax) {
  if (syntax == Syntax::kLenient) skip_spaces(rest);
  if (!rest.starts_with('<')) {
    if (syntax == Syntax::kStrict || rest.empty()) return std::unexpected(replies.syntax);
    const std::string_view path = take_bare_path(rest);
    if (path.size() > kMaxPath) return std::unexpected(replies.too_long);
    return path;
  }
  bool quoted = false;
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (quoted && rest[i] == '\\') {
      ++i;
    } else if (rest[i] == '"') {
      quoted = !quoted;
    } else if (rest[i] == '>' && !quoted) {
      if (i + 1 > kMaxPath) return std::unexpected(replies.too_long);
      const std::string_view path = rest.substr(1, i - 1);
      rest.remove_prefix(i + 1);
      if (syntax == Syntax::kStrict) return path;
      const std::size_t begin = std::min(path.find_first_not_of(' '), path.size());
      return without_trailing_space(path.substr(begin));
    }
  }
  return std::unexpected(replies.syntax);
}

// Takes a source route, "@one,@two:", off the front of a path (Appendix C). Its domains have to be domains.
bool skip_source_route(std::string_view& path) {
  if (!path.starts_with('@')) return true;
  const std::size_t colon = path.find(':');
  if (colon == std::string_view::npos) return false;
  std::string_view route = path.substr(0, colon);
  path.remove_prefix(colon + 1);
  while (true) {
    const std::size_t comma = route.find(',');
    const std::string_view hop = route.substr(0, comma);
    if (!hop.starts_with('@') || !mail::parse_domain(hop.substr(1), mail::Characters::kUtf8)) return false;
    if (comma == std::string_view::npos) return true;
    route.remove_prefix(comma + 1);
  }
}

std::expected<mail::Mailbox, std::string_view> parse_path(std::string_view path, const PathReplies& replies) {
  if (!skip_source_route(path)) return std::unexpected(replies.bad);
  auto mailbox = mail::parse_mailbox(path, mail::Characters::kUtf8);
  if (mailbox) return *std::move(mailbox);
  switch (mailbox.error()) {
    case mail::AddressError::kNoDomain:
      return std::unexpected(path.empty() ? replies.bad : replies.no_domain);
    case mail::AddressError::kLocalPartTooLong:
    case mail::AddressError::kDomainTooLong:
      return std::unexpected(replies.too_long);
    default:
      return std::unexpected(replies.bad);
  }
}

// esmtp-param (§4.1.2), separated by spaces.
std::expected<mail::Parameters, std::string_view> parse_parameters(std::string_view rest, Syntax syntax) {
  mail::Parameters params;
  if (syntax == Syntax::kStrict && !rest.empty() && !rest.starts_with(' ')) {
    return std::unexpected(replies::kBadParameter);
  }
  while (true) {
    skip_spaces(rest);
    if (rest.empty()) return params;
    const std::string_view param = rest.substr(0, rest.find(' '));
    rest.remove_prefix(param.size());
    const std::size_t equals = param.find('=');
    std::string keyword(param.substr(0, equals));
    const std::string_view value = equals == std::string_view::npos ? "" : param.substr(equals + 1);
    std::ranges::transform(keyword, keyword.begin(), upper);
    const auto is_keyword = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'; };
    if (keyword.empty() || keyword.front() == '-' || !std::ranges::all_of(keyword, is_keyword) ||
        (equals != std::string_view::npos && value.empty()) || value.contains('=')) {
      return std::unexpected(replies::kBadParameter);
    }
    if (std::ranges::find(params, keyword, &mail::Parameters::value_type::first) != params.end()) {
      return std::unexpected(replies::kParameterTwice);
    }
    params.emplace_back(std::move(keyword), value);
  }
}

}  // namespace

CommandLine split_command(std::string_view line) {
  line = without_trailing_space(line);
  const std::string_view word = line.substr(0, line.find(' '));
  const std::string_view arguments = word.size() < line.size() ? line.substr(word.size() + 1) : std::string_view();
  for (const auto& [name, verb] : kVerbs) {
    if (equals_upper(word, name)) return {verb, arguments};
  }
  return {Verb::kUnknown, arguments};
}

bool is_printable(std::string_view line, mail::Characters characters) {
  return std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; }) ||
         (characters == mail::Characters::kUtf8 && mail::is_utf8_text(line));
}

std::string_view to_string(Verb verb) {
  const auto found = std::ranges::find(kVerbs, verb, &std::pair<std::string_view, Verb>::second);
  return found == kVerbs.end() ? std::string_view() : found->first;
}

bool is_http(std::string_view line) {
  constexpr std::array<std::string_view, 10> kBegins{"GET ",   "HEAD ",    "POST ",  "PUT ",     "DELETE ",
                                                     "PATCH ", "OPTIONS ", "TRACE ", "CONNECT ", "PRI "};
  return std::ranges::any_of(kBegins, [line](std::string_view begin) { return line.starts_with(begin); }) ||
         equals_upper(line.substr(0, 5), "HOST:");
}

std::expected<command::Bdat, BadBdat> parse_bdat(std::string_view arguments) {
  command::Bdat bdat{};
  const std::string_view written = arguments;
  arguments.remove_prefix(std::min(arguments.find_first_not_of(" +"), arguments.size()));
  const auto [end, error] = std::from_chars(arguments.data(), arguments.data() + arguments.size(), bdat.size);
  if (error == std::errc::invalid_argument) return std::unexpected(BadBdat{replies::kBadBdat, 0});
  if (error != std::errc()) bdat.size = std::numeric_limits<std::uint64_t>::max();  // more than anybody can send
  const std::string_view marker = arguments.substr(static_cast<std::size_t>(end - arguments.data()));
  bdat.last = equals_upper(marker, " LAST");
  if (arguments.size() != written.size() || (!bdat.last && !marker.empty()))
    return std::unexpected(BadBdat{replies::kBadBdat, bdat.size});
  return bdat;
}

std::expected<command::Mail, std::string_view> parse_mail(std::string_view arguments, Syntax syntax) {
  if (!equals_upper(arguments.substr(0, 5), "FROM:")) return std::unexpected(replies::kBadMail);
  arguments.remove_prefix(5);
  const auto path = take_path(arguments, kSender, syntax);
  if (!path) return std::unexpected(path.error());
  command::Mail mail;
  if (!path->empty()) {  // "<>" is the null reverse-path (§4.5.5)
    auto mailbox = parse_path(*path, kSender);
    if (!mailbox) return std::unexpected(mailbox.error());
    mail.reverse_path = *std::move(mailbox);
  }
  auto params = parse_parameters(arguments, syntax);
  if (!params) return std::unexpected(params.error());
  mail.params = *std::move(params);
  return mail;
}

std::expected<command::Rcpt, std::string_view> parse_rcpt(std::string_view arguments, Syntax syntax) {
  if (!equals_upper(arguments.substr(0, 3), "TO:")) return std::unexpected(replies::kBadRcpt);
  arguments.remove_prefix(3);
  const auto path = take_path(arguments, kRecipient, syntax);
  if (!path) return std::unexpected(path.error());
  command::Rcpt rcpt;
  if (equals_upper(*path, "POSTMASTER")) {  // the only mailbox that needs no domain (§4.1.1.3)
    rcpt.mailbox.local_part = *path;
  } else {
    auto mailbox = parse_path(*path, kRecipient);
    if (!mailbox) return std::unexpected(mailbox.error());
    rcpt.mailbox = *std::move(mailbox);
  }
  auto params = parse_parameters(arguments, syntax);
  if (!params) return std::unexpected(params.error());
  rcpt.params = *std::move(params);
  return rcpt;
}

std::expected<std::string_view, std::string_view> parse_helo(std::string_view arguments) {
  const auto may_stand_in_a_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_';
  };
  if (arguments.empty() || arguments.size() > mail::kMaxDomain) return std::unexpected(replies::kBadHelo);
  if (arguments.front() == '[' ? !mail::parse_domain(arguments).has_value()
                               : !std::ranges::all_of(arguments, may_stand_in_a_name)) {
    return std::unexpected(replies::kBadHelo);
  }
  return arguments;
}

}  // namespace hooksmtpd::smtp
