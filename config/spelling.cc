#include "config/spelling.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <ranges>
#include <type_traits>

#include "config/suggest.h"

namespace hooksmtpd::config {
namespace {

using std::literals::operator""sv;

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// Digits and nothing else; empty where there are none, or too many for 64 bits.
std::optional<std::uint64_t> whole_number(std::string_view digits) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
// Largest first: that is the one to print with.
constexpr std::array kSizes{Unit{"T", 1ull << 40}, Unit{"G", 1ull << 30}, Unit{"M", 1ull << 20}, Unit{"K", 1ull << 10},
                            Unit{"", 1}};
constexpr std::array kDurations{Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1000}, Unit{"ms", 1}};

// A whole number and one of the units.
std::optional<std::uint64_t> scaled(std::string_view text, std::span<const Unit> units) {
  const auto end_of_digits = std::ranges::find_if_not(text, [](char c) { return c >= '0' && c <= '9'; });
  const auto digits = static_cast<std::size_t>(end_of_digits - text.begin());
  const auto unit = std::ranges::find(units, text.substr(digits), &Unit::name);
  const auto number = whole_number(text.substr(0, digits));
  std::uint64_t value = 0;
  if (unit == units.end() || !number || __builtin_mul_overflow(*number, unit->factor, &value)) return std::nullopt;
  return value;
}

std::string print(std::uint64_t value, std::span<const Unit> units) {
  if (value == 0) return fmt::format("0{}", units[units.size() - 1].name);
  const auto unit = std::ranges::find_if(units, [&](const Unit& u) { return value % u.factor == 0; });
  return fmt::format("{}{}", value / unit->factor, unit->name);
}

std::unexpected<std::string> out_of_range(std::string_view least, std::string_view most, std::string_view text) {
  return std::unexpected(fmt::format("must be from {} to {}, not {}", least, most, text));
}

constexpr std::array<std::string_view, 5> kLogLevels{"trace", "debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 3> kOnFailure{"tempfail", "accept", "reject"};
constexpr std::array<std::string_view, 4> kTlsModes{"none", "starttls", "required", "implicit"};
constexpr std::array<std::string_view, 4> kTlsVersions{"1.0", "1.1", "1.2", "1.3"};
constexpr std::array<std::string_view, 3> kClientCertificates{"none", "request", "require"};
constexpr std::array<std::string_view, 4> kAuthSources{"none", "passwords", "hook", "accept-any"};
constexpr std::array<std::string_view, 2> kProtocols{"smtp", "lmtp"};
constexpr std::array<std::string_view, 3> kSandboxModes{"strict", "best-effort", "none"};

template <class Enum>
Parsed<Enum> one_of(std::string_view text, std::span<const std::string_view> names) {
  const auto found = std::ranges::find(names, text);
  if (found != names.end()) return static_cast<Enum>(found - names.begin());
  // Of numbers none is meant by another.
  if (const auto near = nearest(text, names); near && !std::is_same_v<Enum, TlsVersion>) {
    return std::unexpected(
        fmt::format("is {}, which is unknown — did you mean {}?", in_quotes(text), in_quotes(*near)));
  }
  std::string known;
  for (const std::string_view name : names) {
    known += fmt::format("{}{}", known.empty() ? "" : name == names.back() ? " or " : ", ", in_quotes(name));
  }
  return std::unexpected(fmt::format("must be {}, not {}", known, in_quotes(text)));
}

bool is_address_literal(std::string_view inside) {
  in6_addr address{};
  if (inside.starts_with("IPv6:")) return inet_pton(AF_INET6, std::string(inside.substr(5)).c_str(), &address) == 1;
  return inet_pton(AF_INET, std::string(inside).c_str(), &address) == 1;
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

}  // namespace

Parsed<bool> parse_boolean(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::unexpected(fmt::format("must be true or false, not {}", in_quotes(text)));
}

Parsed<std::uint64_t> parse_number(std::string_view text, std::uint64_t least, std::uint64_t most) {
  const auto value = whole_number(text);
  if (value && *value >= least && *value <= most) return *value;
  const bool is_number = value || (text.size() > 1 && text[0] == '-' && whole_number(text.substr(1)));
  if (is_number) return out_of_range(fmt::to_string(least), fmt::to_string(most), text);
  return std::unexpected(fmt::format("must be a whole number from {} to {}, not {}", least, most, in_quotes(text)));
}

Parsed<std::uint64_t> parse_size(std::string_view text, std::uint64_t least, std::uint64_t most) {
  const bool has_letter = text.size() > 3 && text.ends_with("iB") && "KMGT"sv.contains(text[text.size() - 3]);
  const auto value = scaled(has_letter ? text.substr(0, text.size() - 2) : text, kSizes);
  if (!value) {
    return std::unexpected(
        fmt::format("must be a size such as \"25M\", \"64K\", \"1G\" or a number of octets, not {}", in_quotes(text)));
  }
  if (*value < least || *value > most) return out_of_range(size_text(least), size_text(most), text);
  return *value;
}

std::string size_text(std::uint64_t octets) { return print(octets, kSizes); }

Parsed<Milliseconds> parse_duration(std::string_view text, Milliseconds least, Milliseconds most) {
  if (whole_number(text)) {
    return std::unexpected(
        fmt::format("must be a duration with its unit, such as \"{}s\", not {}", text, in_quotes(text)));
  }
  const auto value = scaled(text, kDurations);
  if (!value) {
    return std::unexpected(
        fmt::format("must be a duration such as \"500ms\", \"5s\", \"2m\" or \"1h\", not {}", in_quotes(text)));
  }
  if (*value < static_cast<std::uint64_t>(least.count()) || *value > static_cast<std::uint64_t>(most.count())) {
    return out_of_range(duration_text(least), duration_text(most), text);
  }
  return Milliseconds(*value);
}

std::string duration_text(Milliseconds duration) {
  if (duration.count() == 0) return "0s";
  return print(static_cast<std::uint64_t>(duration.count()), kDurations);
}

bool is_hostname(std::string_view text) {
  if (text.empty() || text.size() > 255) return false;
  if (text.front() == '[' && text.back() == ']') return is_address_literal(text.substr(1, text.size() - 2));
  if (is_address_literal(text)) return false;  // without its brackets
  return std::ranges::all_of(text | std::views::split('.'),
                             [](const auto& label) { return is_label(std::string_view(label.begin(), label.end())); });
}

std::string_view to_string(LogLevel level) { return kLogLevels[static_cast<std::size_t>(level)]; }
std::string_view to_string(OnFailure on_failure) { return kOnFailure[static_cast<std::size_t>(on_failure)]; }
std::string_view to_string(TlsMode mode) { return kTlsModes[static_cast<std::size_t>(mode)]; }
std::string_view to_string(TlsVersion version) { return kTlsVersions[static_cast<std::size_t>(version)]; }
std::string_view to_string(ClientCertificates wanted) { return kClientCertificates[static_cast<std::size_t>(wanted)]; }
std::string_view to_string(AuthSource source) { return kAuthSources[static_cast<std::size_t>(source)]; }
std::string_view to_string(ListenerProtocol protocol) { return kProtocols[static_cast<std::size_t>(protocol)]; }
std::string_view to_string(SandboxMode mode) { return kSandboxModes[static_cast<std::size_t>(mode)]; }
Parsed<LogLevel> parse_log_level(std::string_view text) { return one_of<LogLevel>(text, kLogLevels); }
Parsed<OnFailure> parse_on_failure(std::string_view text) { return one_of<OnFailure>(text, kOnFailure); }
Parsed<TlsMode> parse_tls_mode(std::string_view text) { return one_of<TlsMode>(text, kTlsModes); }
Parsed<TlsVersion> parse_tls_version(std::string_view text) {
  if (text.starts_with("SSL") || text.starts_with("ssl")) {
    return std::unexpected(fmt::format("must not be {}: {}", in_quotes(text), kNoSsl));
  }
  return one_of<TlsVersion>(text, kTlsVersions);
}
Parsed<ClientCertificates> parse_client_certificates(std::string_view text) {
  return one_of<ClientCertificates>(text, kClientCertificates);
}
Parsed<AuthSource> parse_auth_source(std::string_view text) { return one_of<AuthSource>(text, kAuthSources); }
Parsed<ListenerProtocol> parse_listener_protocol(std::string_view text) {
  return one_of<ListenerProtocol>(text, kProtocols);
}
Parsed<SandboxMode> parse_sandbox_mode(std::string_view text) { return one_of<SandboxMode>(text, kSandboxModes); }

std::string printable(std::string_view text) {
  constexpr std::size_t kLongest = 80;
  std::string out;
  std::size_t taken = 0;
  for (; taken < text.size() && taken < kLongest; ++taken) {
    const char c = text[taken];
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  // Not in the middle of a UTF-8 sequence.
  if (taken < text.size()) {
    while (taken > 0 && (static_cast<unsigned char>(text[taken]) & 0xc0) == 0x80) {
      out.pop_back();
      --taken;
    }
    out += "…";
  }
  return out;
}

std::string in_quotes(std::string_view text) { return fmt::format("\"{}\"", printable(text)); }

}  // namespace hooksmtpd::config
