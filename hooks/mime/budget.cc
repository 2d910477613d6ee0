#include "hooks/mime/budget.h"

#include <fmt/format.h>

#include <cerrno>
#include <utility>

namespace hooksmtpd::mime {

Refusal cannot(int error) {
  if (error == ENOSPC || error == EDQUOT) {
    return {.code = 452, .enhanced = "4.3.1", .text = "Insufficient system storage, try again later"};
  }
  return {.code = 451, .enhanced = "4.3.0", .text = "the message could not be taken apart"};
}

void Budget::refuse(Refusal why) {
  if (!refusal_) refusal_ = std::move(why);
}

void Budget::part(std::size_t depth) {
  if (++parts_ > limits_.parts) exceeded(fmt::format("message has more than {} MIME parts", limits_.parts));
  if (depth > limits_.depth) exceeded(fmt::format("message has MIME parts nested deeper than {}", limits_.depth));
}

void Budget::header(std::size_t octets) {
  headers_ += octets;
  if (headers_ > kMaxHeaders) exceeded(fmt::format("message has more than {} octets of headers", kMaxHeaders));
}

void Budget::file(std::size_t octets) {
  files_ += octets;
  if (files_ > limits_.size) exceeded(fmt::format("message has more than {} octets of decoded parts", limits_.size));
}

}  // namespace hooksmtpd::mime
