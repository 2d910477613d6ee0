// Secrets leave no copy behind in memory that was given back.

#pragma once

#include <string.h>

#include <string>

namespace hooksmtpd::sasl {

// Empties a string and overwrites all the memory that it had, also what lies beyond its end: a longer value may have
// been there before.
inline void wipe(std::string& secret) noexcept {
  secret.resize(secret.capacity());  // within its capacity: nothing is allocated
  explicit_bzero(secret.data(), secret.size());
  secret.clear();
}

// A string that does so when it goes out of scope.
struct Wiped {
  std::string text;

  Wiped() = default;
  explicit Wiped(std::string secret) : text(std::move(secret)) {}
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  ~Wiped() { wipe(text); }
};

}  // namespace hooksmtpd::sasl
