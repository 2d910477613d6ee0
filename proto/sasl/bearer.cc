#include "proto/sasl/bearer.h"

#include <strings.h>

#include <algorithm>

#include "proto/sasl/bounds.h"
#include "proto/sasl/gs2_header.h"

namespace hooksmtpd::sasl {

namespace {

constexpr char kSeparator = '\x01';
constexpr std::string_view kScheme = "Bearer ";  // in any case of letters (RFC 7235 §2.1)

struct Pairs {
  std::optional<std::string_view> user, auth;  // the two that mean something here
};

// *( key "=" value %x01 ) %x01, to the end of the message (RFC 7628 §3.1).
std::optional<Pairs> parse_pairs(std::string_view text) {
  Pairs pairs;
  for (;;) {
    const std::size_t end = text.find(kSeparator);
    if (end == text.npos) return std::nullopt;
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (pair.empty()) break;
    const std::size_t equals = pair.find('=');
    if (equals == 0 || equals == pair.npos) return std::nullopt;
    const std::string_view key = pair.substr(0, equals);
    auto* value = key == "user" ? &pairs.user : key == "auth" ? &pairs.auth : nullptr;
    if (!value) continue;  // "host" and "port", and what may come
    if (*value) return std::nullopt;
    *value = pair.substr(equals + 1);
  }
  if (!text.empty()) return std::nullopt;
  return pairs;
}

// The token, or nothing where there is another scheme or none.
std::string_view token_of(const Pairs& pairs) {
  if (!pairs.auth || pairs.auth->size() < kScheme.size()) return {};
  if (strncasecmp(pairs.auth->data(), kScheme.data(), kScheme.size()) != 0) return {};
  const std::string_view token = pairs.auth->substr(kScheme.size());
  const bool fits = token.size() <= kMaxToken && std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7f; });
  return fits ? token : std::string_view{};
}

}  // namespace

Step Bearer::next(std::string_view response) {
  if (credentials_.mechanism == Mechanism::kOauthbearer) {
    const auto header = parse_gs2_header(response);
    if (!header || header->wants_binding) return malformed();
    credentials_.authorization_id = credentials_.user = header->authorization_id;
    response.remove_prefix(header->size);
    if (!response.starts_with(kSeparator)) return malformed();
    response.remove_prefix(1);
  }
  const auto pairs = parse_pairs(response);
  if (!pairs) return malformed();
  if (credentials_.mechanism == Mechanism::kXoauth2) {
    if (!pairs->user || !is_name(*pairs->user)) return malformed();
    credentials_.user = *pairs->user;
  }
  credentials_.token = token_of(*pairs);
  // A client without a token may only want to learn what the error says (§4.3).
  if (credentials_.token.empty()) {
    return Refused{.malformed = false, .final_challenge = std::string(token_refused(credentials_.mechanism))};
  }
  return Judge{};
}

std::string_view token_refused(Mechanism mechanism) {
  if (mechanism == Mechanism::kOauthbearer) return R"({"status":"invalid_token"})";
  if (mechanism == Mechanism::kXoauth2) return R"({"status":"401","schemes":"bearer"})";
  return {};
}

}  // namespace hooksmtpd::sasl
