#include "proto/sasl/scram.h"

#include <algorithm>
#include <utility>

#include "proto/sasl/base64.h"
#include "proto/sasl/bounds.h"
#include "proto/sasl/digest.h"
#include "proto/sasl/gs2_header.h"
#include "proto/sasl/scram_keys.h"

namespace hooksmtpd::sasl {

namespace {

// Takes the field up to the next ',' off the front, and the ',' too. A message that ends with ',' has an empty field
// behind it, which nothing accepts.
std::optional<std::string_view> take_field(std::optional<std::string_view>& rest) {
  if (!rest) return std::nullopt;
  const std::size_t comma = rest->find(',');
  const std::string_view field = rest->substr(0, comma);
  if (comma == rest->npos) {
    rest.reset();
  } else {
    rest->remove_prefix(comma + 1);
  }
  return field;
}

// The value of "x=value", which must be the next field.
std::optional<std::string_view> take(std::optional<std::string_view>& rest, char attribute) {
  const auto field = take_field(rest);
  if (!field || field->size() < 3 || (*field)[0] != attribute || (*field)[1] != '=') return std::nullopt;
  return field->substr(2);
}

// §7: attr-val. Unknown ones are skipped, but for "m", which is kept for what must be understood (§5.1).
bool are_extensions(std::optional<std::string_view> rest) {
  while (const auto field = take_field(rest)) {
    const auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
    if (field->size() < 3 || !letter(field->front()) || field->front() == 'm' || (*field)[1] != '=') return false;
  }
  return true;
}

bool is_nonce(std::string_view nonce) {
  return nonce.size() <= kMaxClientNonce && std::ranges::all_of(nonce, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

Scram::Scram(const PasswordFile& users, std::string nonce)
    : Dialogue(Mechanism::kScramSha256, &users), nonce_(std::move(nonce)) {}

Step Scram::next(std::string_view response) {
  if (response.size() > kMaxScramMessage) return malformed();
  switch (awaited_) {
    case Awaited::kClientFirst:
      return client_first(response);
    case Awaited::kClientFinal:
      return client_final(response);
    case Awaited::kNothing:
      if (!response.empty()) return malformed();
      credentials_.user = account_.user;
      return Accepted{};
  }
  std::unreachable();
}

// gs2-header [ "m=…" "," ] "n=" saslname "," "r=" nonce [ "," extensions ]
Step Scram::client_first(std::string_view message) {
  const auto header = parse_gs2_header(message);
  if (!header) return malformed();
  const std::string_view bare = message.substr(header->size);
  if (bare.starts_with("m=") || header->wants_binding) return refused();

  std::optional<std::string_view> rest = bare;
  const auto name = take(rest, 'n');
  const auto user = name ? decode_saslname(*name) : std::nullopt;
  const auto client_nonce = take(rest, 'r');
  if (!user || !client_nonce || !is_nonce(*client_nonce) || !are_extensions(rest)) return malformed();

  credentials_.authorization_id = header->authorization_id;
  credentials_.user = *user;
  if (acts_as_another()) return refused();

  gs2_header_ = message.substr(0, header->size);
  account_ = find_account(*users_, *user);
  nonce_.insert(0, *client_nonce);
  std::string server_first =
      "r=" + nonce_ + ",s=" + base64_encode(account_.scram.salt) + ",i=" + std::to_string(account_.scram.iterations);
  auth_message_ = std::string(bare) + ',' + server_first + ',';
  awaited_ = Awaited::kClientFinal;
  return Challenge{std::move(server_first)};
}

// "c=" base64 "," "r=" nonce [ "," extensions ] "," "p=" base64
Step Scram::client_final(std::string_view message) {
  const std::size_t proof_at = message.rfind(",p=");
  if (proof_at == message.npos) return malformed();
  const auto proof = base64_decode(message.substr(proof_at + 3));
  const std::string_view without_proof = message.substr(0, proof_at);
  std::optional<std::string_view> rest = without_proof;
  const auto binding = take(rest, 'c');
  const auto nonce = take(rest, 'r');
  if (!proof || proof->size() != Key{}.size() || !binding || !nonce || !are_extensions(rest)) return malformed();

  // Without channel binding "c=" repeats the header, so that nobody between could have changed it (§6).
  if (*binding != base64_encode(gs2_header_) || *nonce != nonce_) return refused();

  auth_message_ += without_proof;
  const bool proven = is_proof_of(account_.scram, auth_message_, *proof);
  if (!proven || !account_.exists) return refused();
  awaited_ = Awaited::kNothing;
  return Challenge{"v=" + base64_encode(text(server_signature(account_.scram, auth_message_)))};
}

}  // namespace hooksmtpd::sasl
