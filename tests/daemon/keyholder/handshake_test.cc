// Handshakes whose server has no private key: the keyholder's code signs.

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <memory>
#include <optional>
#include <string>

#include "daemon/keyholder/key_set.h"
#include "daemon/keyholder/sign.h"
#include "daemon/tls/remote_key.h"
#include "tests/daemon/tls/fixtures.h"

using namespace fixtures;

namespace {

// The keyholder without the process around it.
class Here : public tls::Signer {
 public:
  explicit Here(const Pair& pair) {
    EVP_PKEY_up_ref(pair.key.get());
    keys_.add(tls::key_id(X509_get0_pubkey(pair.certificate.get())), tls::Key(pair.key.get()));
  }
  sys::SignReply sign(const sys::SignRequest& request) noexcept override {
    CHECK(keyholder::is_well_formed(request));
    ++asked;
    kind = request.kind;
    if (answer) return {.status = *answer, .length = 0, .signature = {}};
    return keyholder::sign(keys_.find(request.key), request);
  }

  int asked = 0;
  sys::SignKind kind{};
  std::optional<sys::SignStatus> answer;

 private:
  keyholder::KeySet keys_;
};

struct Server {
  explicit Server(const std::string& key, config::TlsVersion min_version = config::TlsVersion::k12)
      : pair(make_pair({.key = key})), signer(pair) {
    config::Tls config = config_of({&pair});
    config.min_version = min_version;
    auto made = tls::Context::make(config, [this](const config::Certificate&, EVP_PKEY* public_key) {
      return tls::make_remote_key(public_key, signer);
    });
    REQUIRE_MESSAGE(made, made.error());
    context = *std::move(made);
  }
  Pair pair;
  Here signer;
  std::unique_ptr<tls::Context> context;
};

}  // namespace

TEST_CASE("every version of TLS and every kind of key shakes hands with the key elsewhere") {
  struct Row {
    std::string key;
    int version;
    std::string sigalgs, signature;
    sys::SignKind kind;
  };
  using enum sys::SignKind;
  for (const Row& row : {
           Row{"RSA:2048", TLS1_3_VERSION, "", "RSASSA-PSS SHA256", kRsaPss},
           Row{"RSA:2048", TLS1_3_VERSION, "rsa_pss_rsae_sha384", "RSASSA-PSS SHA384", kRsaPss},
           Row{"RSA:2048", TLS1_3_VERSION, "rsa_pss_rsae_sha512", "RSASSA-PSS SHA512", kRsaPss},
           Row{"RSA:2048", TLS1_2_VERSION, "", "RSASSA-PSS SHA256", kRsaPss},
           Row{"RSA:2048", TLS1_2_VERSION, "RSA+SHA256", "rsaEncryption SHA256", kRsaPkcs1},
           Row{"RSA:2048", TLS1_2_VERSION, "RSA+SHA1", "rsaEncryption SHA1", kRsaPkcs1},
           Row{"RSA:2048", TLS1_2_VERSION, "RSA+SHA512", "rsaEncryption SHA512", kRsaPkcs1},
           Row{"RSA:2048", TLS1_1_VERSION, "", "rsaEncryption MD5-SHA1", kRsaPkcs1},
           Row{"RSA:2049", TLS1_3_VERSION, "", "RSASSA-PSS SHA256", kRsaPss},
           Row{"RSA:3072", TLS1_3_VERSION, "", "RSASSA-PSS SHA256", kRsaPss},
           Row{"P-256", TLS1_3_VERSION, "", "id-ecPublicKey SHA256", kEcdsa},
           Row{"P-256", TLS1_2_VERSION, "", "id-ecPublicKey SHA256", kEcdsa},
           Row{"P-256", TLS1_2_VERSION, "ECDSA+SHA512", "id-ecPublicKey SHA512", kEcdsa},
           Row{"P-256", TLS1_VERSION, "", "id-ecPublicKey SHA1", kEcdsa},
           Row{"P-384", TLS1_3_VERSION, "", "id-ecPublicKey SHA384", kEcdsa},
           Row{"P-384", TLS1_2_VERSION, "", "id-ecPublicKey SHA256", kEcdsa},
           Row{"P-521", TLS1_3_VERSION, "", "id-ecPublicKey SHA512", kEcdsa},
       }) {
    CAPTURE(row.key);
    CAPTURE(row.version);
    CAPTURE(row.sigalgs);
    Server server(row.key, row.version < TLS1_2_VERSION || row.sigalgs == "RSA+SHA1" ? config::TlsVersion::k10
                                                                                     : config::TlsVersion::k12);
    const Met met =
        meet(*server.context, {.min_version = row.version, .max_version = row.version, .sigalgs = row.sigalgs});
    CHECK_MESSAGE(met.server, met.server_error);
    CHECK(met.client);  // the client has verified the signature
    CHECK(met.signature == row.signature);
    CHECK(server.signer.asked == 1);
    CHECK(server.signer.kind == row.kind);
  }
}

TEST_CASE("without a signature the handshake fails, and the reason is there") {
  Server server("P-256");
  struct Row {
    sys::SignStatus status;
    const char* reason;
  };
  for (const Row& row :
       {Row{sys::SignStatus::kTooMany, "too many signatures a second"},
        Row{sys::SignStatus::kUnknownKey, "it does not have this key"},
        Row{sys::SignStatus::kRefused, "it does not sign such data"}, Row{sys::SignStatus::kFailed, "no answer"}}) {
    server.signer.answer = row.status;
    const Met met = meet(*server.context);
    CHECK_FALSE(met.server);
    CHECK(met.server_error.find(row.reason) != std::string::npos);
    CAPTURE(met.server_error);
  }
}

TEST_CASE("the key that OpenSSL holds has no private half") {
  const Server server("RSA:2048");
  auto remote = tls::make_remote_key(X509_get0_pubkey(server.pair.certificate.get()), const_cast<Here&>(server.signer));
  REQUIRE(remote);
  CHECK(EVP_PKEY_eq(remote->get(), server.pair.key.get()) == 1);
  const auto id = tls::key_id(remote->get());
  CHECK(id == tls::key_id(server.pair.key.get()));
}

TEST_CASE("a key that cannot sign elsewhere is refused with a sentence") {
  const Pair ed25519 = make_pair({.key = "ED25519"});
  Here signer(ed25519);
  const auto remote = tls::make_remote_key(ed25519.key.get(), signer);
  REQUIRE_FALSE(remote);
  CHECK(remote.error() ==
        "has an Ed25519 key, with which the keyholder cannot sign, and few mail clients know it: use ECDSA (P-256, "
        "P-384) "
        "or RSA (2048 to 4096 bits)");
}
