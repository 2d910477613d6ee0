#include "daemon/keyholder/sign.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <memory>

#include "daemon/keyholder/signable.h"

namespace hooksmtpd::keyholder {
namespace {

using sys::SignKind;
using sys::SignReply;
using sys::SignRequest;
using sys::SignStatus;

Bytes data_of(const SignRequest& request) { return Bytes(request.data).first(request.length); }

bool may_sign(const EVP_PKEY* key, const SignRequest& request) {
  const int type = EVP_PKEY_get_base_id(key);
  switch (request.kind) {
    case SignKind::kRsaPkcs1:
      return type == EVP_PKEY_RSA && is_digest_info(data_of(request));
    case SignKind::kRsaPss:
      return type == EVP_PKEY_RSA && is_pss_block(data_of(request), EVP_PKEY_get_bits(key));
    case SignKind::kEcdsa:
      return type == EVP_PKEY_EC && is_digest_length(request.length);
  }
  return false;
}

}  // namespace

bool is_well_formed(const SignRequest& request) {
  const bool known =
      request.kind == SignKind::kRsaPkcs1 || request.kind == SignKind::kRsaPss || request.kind == SignKind::kEcdsa;
  return known && request.length <= request.data.size() &&
         std::ranges::all_of(Bytes(request.data).subspan(request.length),
                             [](std::uint8_t octet) { return octet == 0; });
}

SignReply sign(EVP_PKEY* key, const SignRequest& request) {
  SignReply reply{.status = SignStatus::kUnknownKey, .length = 0, .signature = {}};
  if (key == nullptr) return reply;
  reply.status = SignStatus::kRefused;
  if (!may_sign(key, request)) return reply;

  reply.status = SignStatus::kFailed;
  const std::unique_ptr<EVP_PKEY_CTX, tls::Release<EVP_PKEY_CTX_free>> context(EVP_PKEY_CTX_new(key, nullptr));
  std::size_t length = reply.signature.size();
  bool worked = context && EVP_PKEY_sign_init(context.get()) == 1;
  if (request.kind != SignKind::kEcdsa) {
    // Without a digest named, the data is padded (or not) and signed as it is.
    const int padding = request.kind == SignKind::kRsaPkcs1 ? RSA_PKCS1_PADDING : RSA_NO_PADDING;
    worked = worked && EVP_PKEY_CTX_set_rsa_padding(context.get(), padding) == 1;
  }
  worked =
      worked && EVP_PKEY_sign(context.get(), reply.signature.data(), &length, request.data.data(), request.length) == 1;
  ERR_clear_error();
  if (!worked) {
    reply.signature = {};
    return reply;
  }
  reply.status = SignStatus::kSigned;
  reply.length = static_cast<std::uint32_t>(length);
  return reply;
}

}  // namespace hooksmtpd::keyholder
