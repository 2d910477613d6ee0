#include "daemon/ctl/subject.h"

#include <gmime/gmime.h>

#include <memory>

namespace hooksmtpd::ctl {
namespace {

struct Free {
  void operator()(char* text) const noexcept { g_free(text); }
};
using Text = std::unique_ptr<char, Free>;

}  // namespace

std::string decoded_subject(const std::string& raw) {
  static const bool initialised = (g_mime_init(), true);
  static_cast<void>(initialised);
  const Text unfolded(g_mime_utils_header_unfold(raw.c_str()));
  const Text decoded(g_mime_utils_header_decode_text(nullptr, unfolded.get()));
  return decoded.get();
}

}  // namespace hooksmtpd::ctl
