// Requests for signatures: whatever a worker that was taken over may ask for. The first octet chooses the key and
// whether the request is made well formed; the rest is laid over the request.

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>
#include <cstring>

#include "daemon/keyholder/sign.h"
#include "daemon/keyholder/signable.h"
#include "daemon/tls/openssl.h"

using namespace hooksmtpd;
using keyholder::Bytes;
using sys::SignKind;
using sys::SignRequest;
using sys::SignStatus;

namespace {

// A signature for something that no TLS server signs would be a way to decrypt, or to speak in the key's name.
void check(EVP_PKEY* key, const SignRequest& request, const sys::SignReply& reply) {
  assert((reply.status == SignStatus::kSigned) == (reply.length > 0) && reply.length <= reply.signature.size());
  assert(std::all_of(reply.signature.begin() + reply.length, reply.signature.end(),
                     [](std::uint8_t octet) { return octet == 0; }));
  if (reply.status != SignStatus::kSigned) return;
  const Bytes data = Bytes(request.data).first(request.length);
  if (request.kind == SignKind::kEcdsa) assert(keyholder::is_digest_length(data.size()));
  if (request.kind == SignKind::kRsaPkcs1) assert(keyholder::is_digest_info(data));
  if (request.kind == SignKind::kRsaPss) assert(data.back() == 0xbc);
  assert(EVP_PKEY_get_base_id(key) == (request.kind == SignKind::kEcdsa ? EVP_PKEY_EC : EVP_PKEY_RSA));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::array<tls::Key, 2> keys{tls::Key(EVP_EC_gen("P-256")), tls::Key(EVP_RSA_gen(2048))};
  if (size == 0) return 0;
  const unsigned choice = data[0];
  SignRequest request{.key = {}, .kind = SignKind::kEcdsa, .length = 0, .data = {}};
  std::memcpy(&request, data + 1, std::min(size - 1, sizeof request));
  if ((choice & 2) != 0) {
    request.kind = static_cast<SignKind>(1 + static_cast<std::uint32_t>(request.kind) % 3);
    request.length %= static_cast<std::uint32_t>(request.data.size() + 1);
    std::fill(request.data.begin() + request.length, request.data.end(), std::uint8_t{0});
  }
  if (!keyholder::is_well_formed(request)) return 0;
  EVP_PKEY* const key = keys[choice & 1].get();
  check(key, request, keyholder::sign(key, request));
  return 0;
}
