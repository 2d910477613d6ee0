// How much a message may ask of us, and what it hears when that is not enough.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace hooksmtpd::mime {

struct Limits {
  std::size_t depth = 20;                     // of parts within parts; the message itself is the first
  std::size_t parts = 1000;                   // in all
  std::uint64_t size = 128ull * 1024 * 1024;  // octets of all files
};

// Octets of the headers of all parts: they are what stays in memory.
inline constexpr std::size_t kMaxHeaders = 2 * 1024 * 1024;

// Why there is no tree, as a reply says it.
struct Refusal {
  int code;              // 554 for ever, 451 and 452 for now
  std::string enhanced;  // "5.6.0"
  std::string text;
};

// Of a call that failed with `error`, an errno: 452 where there is no room, else 451.
Refusal cannot(int error);

// What one message has used. The first refusal stays; whoever works on the message comes to an end then.
class Budget {
 public:
  explicit Budget(const Limits& limits) : limits_(limits) {}

  void part(std::size_t depth);
  void header(std::size_t octets);
  void file(std::size_t octets);
  void refuse(Refusal why);

  const std::optional<Refusal>& refusal() const { return refusal_; }

 private:
  void exceeded(std::string text) { refuse({.code = 554, .enhanced = "5.6.0", .text = std::move(text)}); }

  const Limits& limits_;
  std::size_t parts_ = 0;
  std::size_t headers_ = 0;
  std::uint64_t files_ = 0;
  std::optional<Refusal> refusal_;
};

}  // namespace hooksmtpd::mime
