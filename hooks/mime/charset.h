// Octets of some charset -> UTF-8, piece by piece.

#pragma once

#include <iconv.h>

#include <string>
#include <string_view>

#include "hooks/mime/defects.h"

namespace hooksmtpd::mime {

class ToUtf8 {
 public:
  // `charset` as in Content-Type. What nobody knows is taken for UTF-8, and so is US-ASCII.
  explicit ToUtf8(std::string_view charset);
  ToUtf8(const ToUtf8&) = delete;
  ToUtf8& operator=(const ToUtf8&) = delete;
  ~ToUtf8();

  // Appends what is certain by now to `utf8`. U+FFFD stands for each octet that is not of the charset.
  void step(std::string_view octets, std::string& utf8);
  void finish(std::string& utf8);

  void report(Defects& defects) const;

 private:
  void convert(std::string_view octets, std::string& utf8);

  std::string charset_;
  iconv_t handle_;
  bool known_;
  bool is_ascii_;
  std::string rest_{};  // the beginning of a character
  bool faithful_ = true;
};

}  // namespace hooksmtpd::mime
