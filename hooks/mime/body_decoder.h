// Undoes a Content-Transfer-Encoding (RFC 2045 §6), with GMime, and notes what in a body is not what it says.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hooks/mime/defects.h"
#include "hooks/mime/gmime_handle.h"

namespace hooksmtpd::mime {

// nullopt, as most messages have it: 7bit.
GMimeContentEncoding parse_encoding(const std::optional<std::string>& name);
// The octets of the body are not those of the part.
bool encodes(const std::optional<std::string>& name);

class BodyDecoder {
 public:
  // `name`: as in Content::encoding. One that nobody knows leaves the body as it is.
  explicit BodyDecoder(const std::optional<std::string>& name);

  // The octets that are certain by now; good until the next call.
  std::string_view step(std::string_view body);
  std::string_view finish();

  void report(Defects& defects) const;

 private:
  std::string_view filter(std::string_view body, bool last);
  void look(std::string_view body);
  void look_at_base64(char c);
  void look_at_quoted_printable(char c);

  const std::optional<std::string> name_;
  const GMimeContentEncoding encoding_;
  Object<GMimeFilter> filter_;  // none: what goes in comes out
  std::string decoded_;

  // What was found so far.
  std::uint64_t base64_ = 0;                                    // octets of base64's alphabet, with its padding
  bool padded_ = false;                                         // there was padding
  enum class Escape { kNone, kEquals, kDigit, kCr } escape_{};  // of quoted-printable: what came last
  char last_ = 0;
  bool foreign_ = false, nul_ = false, bare_cr_ = false, bare_lf_ = false, eight_bit_ = false;
};

}  // namespace hooksmtpd::mime
