#include "proto/sasl/mechanism.h"

#include <strings.h>

#include <algorithm>
#include <array>

#include "proto/sasl/password_file.h"

namespace hooksmtpd::sasl {

namespace {

struct Name {
  Mechanism mechanism;
  std::string_view text;
};

constexpr std::array kNames{
    Name{Mechanism::kScramSha256, "SCRAM-SHA-256"},
    Name{Mechanism::kPlain, "PLAIN"},
    Name{Mechanism::kLogin, "LOGIN"},
    Name{Mechanism::kCramMd5, "CRAM-MD5"},
    Name{Mechanism::kXoauth2, "XOAUTH2"},
    Name{Mechanism::kOauthbearer, "OAUTHBEARER"},
};

}  // namespace

std::string_view to_string(Mechanism mechanism) { return kNames[static_cast<std::size_t>(mechanism)].text; }

std::optional<Mechanism> parse_mechanism(std::string_view text) {
  const auto found = std::ranges::find_if(kNames, [text](const Name& name) {
    return name.text.size() == text.size() && strncasecmp(name.text.data(), text.data(), text.size()) == 0;
  });
  if (found == kNames.end()) return std::nullopt;
  return found->mechanism;
}

std::vector<Mechanism> offered(Source source, const PasswordFile* users) {
  using enum Mechanism;
  switch (source) {
    case Source::kPasswords:
      if (users && users->has_cram()) return {kScramSha256, kPlain, kLogin, kCramMd5};
      return {kScramSha256, kPlain, kLogin};
    case Source::kHook:
      return {kPlain, kLogin, kXoauth2, kOauthbearer};
    case Source::kAcceptAny:
      return {kPlain, kLogin, kCramMd5, kXoauth2, kOauthbearer};
  }
  return {};
}

}  // namespace hooksmtpd::sasl
