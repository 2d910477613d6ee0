// libFuzzer: any mechanism and any answers of a client. The first octet picks mechanism and judge, each line after it
// is an answer. A line that is "proof", or begins so, is answered by a client that knows the password, so that the
// fuzzer gets behind the proof; what follows "proof" stands among its extensions.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "proto/sasl/base64.h"
#include "proto/sasl/digest.h"
#include "proto/sasl/exchange.h"
#include "proto/sasl/hmac_md5.h"
#include "proto/sasl/saslprep.h"
#include "proto/sasl/scram_keys.h"

using namespace hooksmtpd::sasl;

namespace {

constexpr std::string_view kPassword = "pencil";

void require(bool condition) {
  if (!condition) std::abort();
}

Entry entry(std::string user) {
  return {.user = std::move(user),
          .scram = derive_scram_keys(kPassword, "0123456789abcdef", kMinIterations),
          .cram = derive_cram_keys(kPassword)};
}

const PasswordFile& users() {
  static const PasswordFile file =
      PasswordFile::parse(to_string(entry("ann")) + '\n' + to_string(entry("b=o,b"))).value();
  return file;
}

// The answer of a client that knows the password to the server's last challenge.
std::string proof(Mechanism mechanism, std::string_view first, const std::string& challenge, std::string_view more) {
  if (mechanism == Mechanism::kCramMd5) return "ann " + hmac_md5_hex(derive_cram_keys(kPassword), challenge);
  if (mechanism != Mechanism::kScramSha256 || !challenge.starts_with("r=")) return std::string(kPassword);
  std::size_t bare = first.find(',');
  if (bare != first.npos) bare = first.find(',', bare + 1);
  if (bare == first.npos) return {};
  const std::string without_proof = "c=" + base64_encode(first.substr(0, bare + 1)) + ',' +
                                    challenge.substr(0, challenge.find(',')) + std::string(more);
  static const Key salted = pbkdf2(kPassword, "0123456789abcdef", kMinIterations);
  Key key = hmac_sha256(salted, "Client Key");
  const Key signature =
      hmac_sha256(sha256(key), std::string(first.substr(bare + 1)) + ',' + challenge + ',' + without_proof);
  for (std::size_t i = 0; i < key.size(); ++i) key[i] ^= signature[i];
  return without_proof + ",p=" + base64_encode(text(key));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const auto mechanism = static_cast<Mechanism>((data[0] & 7) % 6);
  const bool tokens = mechanism == Mechanism::kXoauth2 || mechanism == Mechanism::kOauthbearer;
  const bool by_file = mechanism == Mechanism::kScramSha256 || (!tokens && (data[0] & 8) != 0);
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);

  Exchange exchange(mechanism, by_file ? &users() : nullptr, "0123456789abcdefgh", "mail.test");
  std::optional<std::string> first;
  Step step = Challenge{};
  bool begun = false;
  if (data[0] & 16) {
    step = exchange.begin({});
    begun = true;
  }
  int answers = 0;
  while (const auto* challenge = std::get_if<Challenge>(&step)) {
    require(challenge->bytes.size() <= 1024);
    if (begun && rest.empty()) return 0;
    require(++answers <= 4);
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string answer(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (answer.starts_with("proof")) answer = proof(mechanism, first.value_or(""), challenge->bytes, answer.substr(5));
    if (!first) first = answer;
    step = begun ? exchange.next(answer) : exchange.begin(answer);
    begun = true;
  }

  const Credentials& said = exchange.credentials();
  require(said.mechanism == mechanism);
  require(said.user.size() <= kMaxUser && said.authorization_id.size() <= kMaxUser);
  if (std::holds_alternative<Accepted>(step)) {
    require(by_file && users().find(said.user));
    const bool shows = mechanism == Mechanism::kPlain || mechanism == Mechanism::kLogin;
    require(!shows || saslprep(said.password) == kPassword);
  }
  if (std::holds_alternative<Judge>(step)) {
    require(!by_file && (!said.user.empty() || mechanism == Mechanism::kOauthbearer));
    require(tokens == !said.token.empty());
  }
  return 0;
}
