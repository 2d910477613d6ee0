#include "daemon/tls/ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

namespace hooksmtpd::tls {
namespace {

int context_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

TicketKeys::KeySet draw() {
  TicketKeys::KeySet keys;
  if (RAND_bytes(keys.name.data(), static_cast<int>(keys.name.size())) != 1 ||
      RAND_priv_bytes(keys.cipher.data(), static_cast<int>(keys.cipher.size())) != 1 ||
      RAND_priv_bytes(keys.mac.data(), static_cast<int>(keys.mac.size())) != 1) {
    throw std::runtime_error("RAND_bytes: " + take_error());
  }
  return keys;
}

// SSL_CTX_set_tlsext_ticket_key_evp_cb(3): 1 go on, 2 go on and seal anew, 0 no such key, -1 failed.
int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
              int sealing) noexcept try {
  auto& keys = *static_cast<TicketKeys*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), context_index()));
  const auto now = TicketKeys::Clock::now();
  const TicketKeys::KeySet& current = keys.current(now);
  const TicketKeys::KeySet* const set = sealing != 0 ? &current : keys.find(name, now);
  if (set == nullptr) return 0;
  if (sealing != 0) {
    std::ranges::copy(set->name, name);
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
  }
  char hash[] = "SHA256";
  std::array parameters{
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, const_cast<unsigned char*>(set->mac.data()),
                                        set->mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, hash, 0),
      OSSL_PARAM_construct_end(),
  };
  if (EVP_MAC_CTX_set_params(mac, parameters.data()) != 1) return -1;
  if (EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, set->cipher.data(), iv, sealing) != 1) return -1;
  return set == &current ? 1 : 2;
} catch (const std::exception&) {
  return -1;
}

}  // namespace

TicketKeys::TicketKeys(Clock::time_point now) : current_(draw()), before_(draw()), since_(now) {}

TicketKeys::~TicketKeys() {
  OPENSSL_cleanse(&current_, sizeof current_);
  OPENSSL_cleanse(&before_, sizeof before_);
}

void TicketKeys::serve(SSL_CTX* context) {
  SSL_CTX_set_ex_data(context, context_index(), this);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
  SSL_CTX_set_timeout(context, std::chrono::seconds(kLifetime).count());
}

const TicketKeys::KeySet& TicketKeys::current(Clock::time_point now) {
  rotate(now);
  return current_;
}

const TicketKeys::KeySet* TicketKeys::find(const unsigned char* name, Clock::time_point now) {
  rotate(now);
  for (const KeySet* const set : {&current_, &before_}) {
    if (CRYPTO_memcmp(set->name.data(), name, set->name.size()) == 0) return set;
  }
  return nullptr;
}

void TicketKeys::rotate(Clock::time_point now) {
  if (now - since_ < kLifetime) return;
  before_ = now - since_ < 2 * kLifetime ? current_ : draw();
  current_ = draw();
  since_ = now;
}

}  // namespace hooksmtpd::tls
