// PEM files (RFC 7468) as people have them: several blocks, text in between, keys and certificates mixed up.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hooksmtpd::tls {

// What a file holds, by the labels of its blocks. A block without an end counts, too.
struct PemContents {
  int certificates = 0;
  int keys = 0;
  int others = 0;

  bool empty() const { return certificates + keys + others == 0; }
};
PemContents look_at(std::string_view text);

// For a file without a single block, to stand behind its name: "is not a PEM file: …".
std::string not_pem(std::string_view text);

}  // namespace hooksmtpd::tls
