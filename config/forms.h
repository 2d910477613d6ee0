// How each kind of value is spelt, parsed and printed; the table of settings gives one of these forms to each.
//
// An error is the end of a sentence that begins with the key.

#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/settings.h"
#include "config/spelling.h"
#include "config/suggest.h"
#include "proto/sasl/mechanism.h"

namespace hooksmtpd::config::form {

struct Hostname {
  static constexpr Spelling kSpelling = Spelling::kText;
  static Parsed<std::string> parse(std::string_view text) {
    if (is_hostname(text)) return std::string(text);
    return std::unexpected(
        fmt::format("must be a domain name or an address such as \"[127.0.0.1]\", not {}", in_quotes(text)));
  }
  static std::string print(const std::string& value) { return value; }
};

struct Banner {
  static constexpr Spelling kSpelling = Spelling::kText;
  static Parsed<std::string> parse(std::string_view text) {
    // It stands in one reply line beside the host name and the date: printable ASCII (RFC 5321 §4.2), and not much.
    const bool printable = std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
    if (printable && !text.empty() && text.size() <= 150) return std::string(text);
    return std::unexpected(fmt::format("must be 1 to 150 printable ASCII characters, not {}", in_quotes(text)));
  }
  static std::string print(const std::string& value) { return value; }
};

struct Level {
  static constexpr Spelling kSpelling = Spelling::kText;
  static Parsed<LogLevel> parse(std::string_view text) { return parse_log_level(text); }
  static std::string print(LogLevel value) { return std::string(to_string(value)); }
};

struct Flag {
  static constexpr Spelling kSpelling = Spelling::kBoolean;
  static Parsed<bool> parse(std::string_view text) { return parse_boolean(text); }
  static std::string print(bool value) { return value ? "true" : "false"; }
};

template <std::uint64_t kLeast, std::uint64_t kMost>
struct Count {
  static constexpr Spelling kSpelling = Spelling::kInteger;
  static Parsed<std::uint64_t> parse(std::string_view text) { return parse_number(text, kLeast, kMost); }
  static std::string print(std::uint64_t value) { return fmt::to_string(value); }
};

template <std::uint64_t kLeast, std::uint64_t kMost>
struct Size {
  static constexpr Spelling kSpelling = Spelling::kSize;
  static Parsed<std::uint64_t> parse(std::string_view text) { return parse_size(text, kLeast, kMost); }
  static std::string print(std::uint64_t value) { return size_text(value); }
};

template <Milliseconds::rep kLeast, Milliseconds::rep kMost>
struct Duration {
  static constexpr Spelling kSpelling = Spelling::kDuration;
  static Parsed<Milliseconds> parse(std::string_view text) {
    return parse_duration(text, Milliseconds(kLeast), Milliseconds(kMost));
  }
  static std::string print(Milliseconds value) { return duration_text(value); }
};

struct Uids {
  static constexpr Spelling kSpelling = Spelling::kRange;
  static constexpr std::uint64_t kFirst = 1000, kLast = 4'294'967'293;  // below are the system's; above, -2 and -1
  // The daemon's own where the system has no names for them, and nobody.
  static constexpr std::array<std::uint32_t, 4> kTaken{60797, 60798, 60799, 65534};

  static Parsed<std::pair<std::uint32_t, std::uint32_t>> parse(std::string_view text) {
    const std::size_t dash = std::min(text.find('-'), text.size());
    const auto first = parse_number(text.substr(0, dash), kFirst, kLast);
    const auto last = parse_number(text.substr(std::min(dash + 1, text.size())), kFirst, kLast);
    if (!first || !last || *first > *last) {
      return std::unexpected(fmt::format("must be the first and the last of a range from {} up, such as {}, not {}",
                                         kFirst, in_quotes("60800-60863"), in_quotes(text)));
    }
    const auto taken = std::ranges::find_if(kTaken, [&](auto uid) { return uid >= *first && uid <= *last; });
    if (taken != kTaken.end()) {
      return std::unexpected(fmt::format("must not contain {}, which is not for hooks: {}", *taken, in_quotes(text)));
    }
    return std::pair(static_cast<std::uint32_t>(*first), static_cast<std::uint32_t>(*last));
  }
  static std::string print(const std::pair<std::uint32_t, std::uint32_t>& value) {
    return fmt::format("{}-{}", value.first, value.second);
  }
};

struct Folder {
  static constexpr Spelling kSpelling = Spelling::kText;
  static Parsed<std::filesystem::path> parse(std::string_view text) {
    const std::filesystem::path path = std::filesystem::path(text).lexically_normal();
    if (path.is_absolute() && path.has_relative_path() && text.find('\0') == std::string_view::npos) return path;
    return std::unexpected(fmt::format("must be the absolute path of a folder, not {}", in_quotes(text)));
  }
  static std::string print(const std::filesystem::path& value) { return value.string(); }
};

// One of a few words.
template <auto kParse>
struct Choice {
  static constexpr Spelling kSpelling = Spelling::kText;
  static auto parse(std::string_view text) { return kParse(text); }
  static std::string print(auto value) { return std::string(to_string(value)); }
};

// Empty: none.
struct File {
  static constexpr Spelling kSpelling = Spelling::kPath;
  static Parsed<std::filesystem::path> parse(std::string_view text) {
    const std::filesystem::path path = std::filesystem::path(text).lexically_normal();
    const bool absolute = path.is_absolute() && path.has_relative_path();
    if (text.empty() || (absolute && text.find('\0') == std::string_view::npos)) return path;
    return std::unexpected(fmt::format("must be an absolute path, not {}", in_quotes(text)));
  }
  static std::string print(const std::filesystem::path& value) { return value.string(); }
};

// Somebody may have written the password itself: it is not repeated.
struct PasswordFile : File {
  static constexpr Spelling kSpelling = Spelling::kSecretPath;
  static Parsed<std::filesystem::path> parse(std::string_view text) {
    if (auto path = File::parse(text)) return path;
    return std::unexpected("must be the absolute path of a file that holds the password, and nothing else");
  }
};

// A list for OpenSSL, which alone knows its words.
template <bool kIsTls13>
struct Ciphers {
  static constexpr Spelling kSpelling = Spelling::kText;
  static Parsed<std::string> parse(std::string_view text) {
    constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+!@=.:, ";
    if (text.size() > 4096 || text.find_first_not_of(kLetters) != std::string_view::npos) {
      return std::unexpected(fmt::format(
          "must be a list for OpenSSL such as {}, not {}",
          kIsTls13 ? "\"TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256\"" : "\"HIGH:!aNULL\"", in_quotes(text)));
    }
    // OpenSSL ignores them without a word.
    if (!kIsTls13 && text.find("TLS_") != std::string_view::npos) {
      return std::unexpected(fmt::format("is for TLS up to 1.2: suites such as {} belong in tls.ciphersuites",
                                         in_quotes(text.substr(text.find("TLS_"), 60))));
    }
    return std::string(text);
  }
  static std::string print(const std::string& value) { return value; }
};

// Of AUTH, in the order in which they were written. As text with spaces between them.
struct Mechanisms {
  static constexpr Spelling kSpelling = Spelling::kWords;
  static Parsed<std::vector<std::string>> parse(std::string_view text) {
    std::vector<std::string> mechanisms;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find_first_of(" ,", at), text.size());
      const std::string_view word = text.substr(at, end - at);
      at = end + 1;
      if (word.empty()) continue;
      const auto mechanism = sasl::parse_mechanism(word);
      if (!mechanism) return std::unexpected(unknown(word));
      std::string name(sasl::to_string(*mechanism));
      if (std::ranges::find(mechanisms, name) != mechanisms.end()) {
        return std::unexpected(fmt::format("names {} twice", name));
      }
      mechanisms.push_back(std::move(name));
    }
    return mechanisms;
  }
  static std::string print(const std::vector<std::string>& value) { return joined(value, " "); }

 private:
  static std::string unknown(std::string_view word) {
    using enum sasl::Mechanism;
    std::vector<std::string_view> known;
    for (const auto each : {kScramSha256, kPlain, kLogin, kCramMd5, kXoauth2, kOauthbearer}) {
      known.push_back(sasl::to_string(each));
    }
    return fmt::format("holds {}, which is unknown{}", in_quotes(word), did_you_mean(word, known));
  }
};

}  // namespace hooksmtpd::config::form
