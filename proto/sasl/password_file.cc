#include "proto/sasl/password_file.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <functional>
#include <map>

#include "proto/sasl/base64.h"

namespace hooksmtpd::sasl {

namespace {

constexpr std::string_view kScramScheme = ":{SCRAM-SHA-256}";
constexpr std::string_view kCramScheme = ":{CRAM-MD5}";
constexpr std::string_view kHex = "0123456789abcdef";

// The rest of a line, and how much of it was read.
class Line {
 public:
  Line(std::string_view text, std::size_t number) : text_(text), number_(number) {}

  bool at_end() const { return at_ == text_.size(); }
  bool skip(std::string_view expected) {
    if (!text_.substr(at_).starts_with(expected)) return false;
    at_ += expected.size();
    return true;
  }
  // What stands before the next `stop`, or up to the end.
  std::string_view take_until(char stop) {
    const std::string_view taken = text_.substr(at_, text_.find(stop, at_) - at_);
    start_ = at_;
    at_ += taken.size();
    return taken;
  }
  std::unexpected<LineError> wrong_here(std::string what) const { return wrong(at_, std::move(what)); }
  std::unexpected<LineError> wrong_there(std::string what) const { return wrong(start_, std::move(what)); }

 private:
  std::unexpected<LineError> wrong(std::size_t at, std::string what) const {
    return std::unexpected(LineError{number_, at + 1, std::move(what)});
  }

  std::string_view text_;
  std::size_t number_, at_ = 0, start_ = 0;
};

// One sentence ends them all: nobody mends a key by hand. The name stands in a command that may be copied, so it must
// mean nothing else to a shell.
std::string make_anew(std::string_view user) {
  const bool plain = std::ranges::all_of(user, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '@' || c == '.' ||
           c == '_' || c == '+';
  });
  return "; make the entry anew with `hooksmtpd passwd " + (plain ? std::string(user) : "NAME") + " --file …`";
}

// "$" and a key in base64.
std::expected<Key, LineError> parse_key(Line& line, char stop, std::string_view name, std::string_view user) {
  const std::string what = std::string(name) + " is 32 octets in base64 after a '$'" + make_anew(user);
  if (!line.skip("$")) return line.wrong_here(what);
  const auto bytes = base64_decode(line.take_until(stop));
  Key key;
  if (!bytes || bytes->size() != key.size()) return line.wrong_there(what);
  std::memcpy(key.data(), bytes->data(), key.size());
  return key;
}

std::expected<ScramKeys, LineError> parse_scram(Line& line, std::string_view user) {
  ScramKeys keys;
  const std::string_view digits = line.take_until(',');
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), keys.iterations);
  if (error != std::errc{} || end != digits.data() + digits.size() || keys.iterations < kMinIterations ||
      keys.iterations > kMaxIterations) {
    return line.wrong_there("the iterations are a number from " + std::to_string(kMinIterations) + " to " +
                            std::to_string(kMaxIterations) + make_anew(user));
  }
  if (!line.skip(",")) return line.wrong_here("',' and the salt are missing" + make_anew(user));
  const auto salt = base64_decode(line.take_until('$'));
  if (!salt || salt->size() < kMinSalt || salt->size() > kMaxSalt) {
    return line.wrong_there("the salt is " + std::to_string(kMinSalt) + " to " + std::to_string(kMaxSalt) +
                            " octets in base64" + make_anew(user));
  }
  keys.salt = *salt;
  const auto stored = parse_key(line, '$', "StoredKey", user);
  if (!stored) return std::unexpected(stored.error());
  keys.stored = *stored;
  const auto server = parse_key(line, ':', "ServerKey", user);
  if (!server) return std::unexpected(server.error());
  keys.server = *server;
  return keys;
}

std::expected<CramKeys, LineError> parse_cram(Line& line, std::string_view user) {
  const std::string_view hex = line.take_until(':');
  CramKeys keys;
  const bool fits = hex.size() == 64 && hex.find_first_not_of(kHex) == hex.npos;
  if (!fits) return line.wrong_there("CRAM-MD5 needs 64 digits of lower-case hex" + make_anew(user));
  for (std::size_t i = 0; i < 32; ++i) {
    const auto octet = static_cast<std::uint8_t>(kHex.find(hex[2 * i]) << 4 | kHex.find(hex[2 * i + 1]));
    (i < 16 ? keys.outer[i] : keys.inner[i - 16]) = octet;
  }
  return keys;
}

std::expected<Entry, LineError> parse_entry(Line line) {
  Entry entry{.user = std::string(line.take_until(':')), .scram = {}, .cram = {}};
  if (const auto wrong = wrong_with_name(entry.user)) return line.wrong_there(std::string(*wrong));
  // What has no ':' behind it need not be a name: in a file of something else it may be a password or a key.
  const std::string_view name = line.at_end() ? "NAME" : std::string_view(entry.user);
  if (!line.skip(kScramScheme)) {
    return line.wrong_here("after the name comes \"" + std::string(kScramScheme) +
                           "\", and passwords and other hashes cannot stand here" + make_anew(name));
  }
  const auto scram = parse_scram(line, entry.user);
  if (!scram) return std::unexpected(scram.error());
  entry.scram = *scram;
  if (line.skip(kCramScheme)) {
    const auto cram = parse_cram(line, entry.user);
    if (!cram) return std::unexpected(cram.error());
    entry.cram = *cram;
  }
  if (!line.at_end()) {
    return line.wrong_here("the line should end here, or go on with \"" + std::string(kCramScheme) + "\"");
  }
  return entry;
}

void append_hex(std::string& text, std::span<const std::uint8_t> octets) {
  for (const std::uint8_t octet : octets) {
    text += kHex[octet >> 4];
    text += kHex[octet & 15];
  }
}

std::string base64_of(const Key& key) { return base64_encode({reinterpret_cast<const char*>(key.data()), key.size()}); }

}  // namespace

std::optional<std::string_view> wrong_with_name(std::string_view user) {
  if (user.empty()) return "a name is missing at the start of the line";
  if (user.size() > kMaxUser) return "a name is at most 255 octets long";
  if (user.front() == '#') return "a name cannot begin with '#': such a line is a comment";
  for (const char c : user) {
    if (c == ':') return "a name cannot have a ':': the next field begins there";
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) return "a name cannot have control characters";
  }
  return std::nullopt;
}

std::string to_string(const Entry& entry) {
  const ScramKeys& keys = entry.scram;
  std::string line = entry.user + std::string(kScramScheme) + std::to_string(keys.iterations) + ',' +
                     base64_encode(keys.salt) + '$' + base64_of(keys.stored) + '$' + base64_of(keys.server);
  if (entry.cram) {
    line += kCramScheme;
    append_hex(line, entry.cram->outer);
    append_hex(line, entry.cram->inner);
  }
  return line;
}

std::expected<PasswordFile, std::vector<LineError>> PasswordFile::parse(std::string_view text) {
  PasswordFile file;
  std::vector<LineError> errors;
  std::map<std::string, std::size_t, std::less<>> lines;  // where a name stood first
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    if (line.back() == '\r') {
      errors.push_back(
          {number, line.size(), "lines end with a line feed alone here; `sed -i 's/\\r$//'` mends the file"});
      continue;
    }
    auto entry = parse_entry(Line(line, number));
    if (!entry) {
      errors.push_back(std::move(entry.error()));
      continue;
    }
    const auto [first, is_new] = lines.emplace(entry->user, number);
    if (!is_new) {
      errors.push_back({number, 1,
                        "line " + std::to_string(first->second) +
                            " has an entry of that name already; delete the one "
                            "that does not count"});
      continue;
    }
    file.entries_.push_back(std::move(*entry));
  }
  if (!errors.empty()) return std::unexpected(std::move(errors));

  std::ranges::sort(file.entries_, {}, &Entry::user);
  for (const Entry& entry : file.entries_) {
    for (std::size_t i = 0; i < file.seed_.size(); ++i) file.seed_[i] ^= entry.scram.stored[i];
    file.has_cram_ = file.has_cram_ || entry.cram.has_value();
  }
  return file;
}

const Entry* PasswordFile::find(std::string_view user) const {
  const auto found =
      std::ranges::lower_bound(entries_, user, {}, [](const Entry& entry) -> std::string_view { return entry.user; });
  return found != entries_.end() && found->user == user ? &*found : nullptr;
}

}  // namespace hooksmtpd::sasl
