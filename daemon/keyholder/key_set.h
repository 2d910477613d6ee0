// The private keys of a configuration.

#pragma once

#include <cstddef>
#include <map>
#include <utility>

#include "daemon/sys/signing.h"
#include "daemon/tls/openssl.h"

namespace hooksmtpd::keyholder {

class KeySet {
 public:
  void add(const sys::KeyId& id, tls::Key key) { keys_.insert_or_assign(id, std::move(key)); }
  // Null: there is no such key.
  EVP_PKEY* find(const sys::KeyId& id) const {
    const auto found = keys_.find(id);
    return found == keys_.end() ? nullptr : found->second.get();
  }
  std::size_t size() const { return keys_.size(); }

 private:
  std::map<sys::KeyId, tls::Key> keys_;
};

}  // namespace hooksmtpd::keyholder
