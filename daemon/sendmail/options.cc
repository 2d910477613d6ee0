#include "daemon/sendmail/options.h"

#include <fmt/format.h>
#include <getopt.h>
#include <sysexits.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace hooksmtpd::sendmail {
namespace {

constexpr int kServer = 256, kHelp = 257, kVersion = 258;

constexpr std::array kLong{
    option{"server", required_argument, nullptr, kServer},
    option{"help", no_argument, nullptr, kHelp},
    option{"version", no_argument, nullptr, kVersion},
    option{nullptr, 0, nullptr, 0},
};
// What the sendmails that are about take. '+': options end at the first recipient, who may not become one.
constexpr const char* kShort = "+:A:B:C:F:GIL:N:O:R:UV:X:b:cd::e:f:h:imno:p:q::r:tvx";

// What no line of SMTP or of a header may hold.
bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

// RFC 3461 §4.1: NEVER alone, or a list.
Result<std::string> parse_notify(std::string_view text) {
  const std::string wanted = upper(text);
  if (wanted == "NEVER") return wanted;
  for (std::size_t begin = 0; begin <= wanted.size();) {
    const std::size_t end = std::min(wanted.find(',', begin), wanted.size());
    const std::string_view word = std::string_view(wanted).substr(begin, end - begin);
    if (word != "SUCCESS" && word != "FAILURE" && word != "DELAY") {
      return fail(EX_USAGE, fmt::format("-N {}: it is never, or a list of success, failure, delay", text));
    }
    begin = end + 1;
  }
  return wanted;
}

Result<std::string> parse_ret(std::string_view text) {
  const std::string wanted = upper(text);
  if (wanted == "FULL" || wanted == "HDRS") return wanted;
  return fail(EX_USAGE, fmt::format("-R {}: it is full or hdrs", text));
}

// RFC 3461 §4.4: at most 100 printable characters, before they are encoded (§4).
Result<std::string> to_xtext(std::string_view text) {
  if (text.empty() || text.size() > 100) return fail(EX_USAGE, "-V: an envelope identifier has 1 to 100 characters");
  std::string out;
  for (const char c : text) {
    if (c < ' ' || c > '~') return fail(EX_USAGE, "-V: an envelope identifier is printable ASCII");
    if (c == '+' || c == '=' || c == ' ') {
      out += fmt::format("+{:02X}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out;
}

Result<Mode> parse_mode(char letter) {
  switch (letter) {
    case 'm':
      return Mode::kSend;
    case 's':
      return Mode::kSession;
    case 'i':
    case 'p':
      return Mode::kNothing;
    default:
      return fail(EX_USAGE,
                  fmt::format("-b{}: only -bm and -bs are for this program; the daemon is `hooksmtpd run`", letter));
  }
}

// One option with its argument, which is empty where there is none.
Result<> apply(int name, std::string_view argument, Options& options) {
  const auto take = [](auto& target, auto parsed) -> Result<> {
    if (!parsed) return std::unexpected(parsed.error());
    target = *std::move(parsed);
    return {};
  };
  switch (name) {
    case 't':
      options.recipients_from_header = true;
      return {};
    case 'i':
      options.dot_is_text = true;
      return {};
    case 'o':  // -oi; the others steer a queue, errors by mail, old header formats
      if (argument == "i") options.dot_is_text = true;
      return {};
    case 'v':
      options.verbose = true;
      return {};
    case 'f':
    case 'r':
      options.sender = argument;
      return {};
    case 'F':
      options.full_name = argument;
      return {};
    case 'b':
      return take(options.mode, parse_mode(argument.empty() ? '?' : argument.front()));
    case 'q':
    case 'I':
      options.mode = Mode::kNothing;
      return {};
    case 'N':
      return take(options.notify, parse_notify(argument));
    case 'R':
      return take(options.ret, parse_ret(argument));
    case 'V':
      return take(options.envelope_id, to_xtext(argument));
    case kServer:
      options.server = argument;
      return {};
    case kHelp:
      options.mode = Mode::kHelp;
      return {};
    case kVersion:
      options.mode = Mode::kVersion;
      return {};
    default:  // the rest of kShort: the message itself says what -B does, and the others steer what is not here
      return {};
  }
}

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& arguments) {
  std::vector<char*> argv{const_cast<char*>("sendmail")};
  for (const std::string& one : arguments) {
    if (has_control(one)) return fail(EX_USAGE, "a control character in an argument");
    argv.push_back(const_cast<char*>(one.c_str()));  // getopt_long() permutes at most, and not even that after a '+'
  }
  const int count = static_cast<int>(argv.size());
  argv.push_back(nullptr);

  Options options;
  ::optind = 0;
  for (int name = 0; (name = ::getopt_long(count, argv.data(), kShort, kLong.data(), nullptr)) != -1;) {
    const std::string_view word = argv[static_cast<std::size_t>(std::max(::optind - 1, 0))];
    if (name == '?') return fail(EX_USAGE, fmt::format("{}: no such option", word));
    if (name == ':') return fail(EX_USAGE, fmt::format("{}: its argument is missing", word));
    const auto applied = apply(name, ::optarg == nullptr ? "" : ::optarg, options);
    if (!applied) return std::unexpected(applied.error());
  }
  options.recipients.assign(argv.begin() + ::optind, argv.begin() + count);
  return options;
}

}  // namespace hooksmtpd::sendmail
