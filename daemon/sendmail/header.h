// The header section of a message (RFC 5322 §2.2), field by field, octets as they came.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hooksmtpd::sendmail {

// Where the header section ends that `text`, lines that end with CRLF, begins with: at an empty line, or at the first
// line that is neither a field nor the continuation of one, as in `echo hello | sendmail bob`. npos: not in `text`.
// Looks from `from` on, the beginning of a line.
std::size_t find_header_end(std::string_view text, std::size_t from = 0);

class Header {
 public:
  // `text`: whole lines, each a field or a continuation. mbox's "From " line in front is dropped.
  explicit Header(std::string_view text);

  // Names in any case.
  bool has(std::string_view name) const;
  // Of each field of that name: what stands behind the colon, its lines unfolded (§2.2.3).
  std::vector<std::string> values(std::string_view name) const;
  void remove(std::string_view name);
  // A new last field. Neither may hold a line end that is not part of folding.
  void add(std::string_view name, std::string_view value);
  // Whether there is a field that begins with "Resent-": then these say to whom it goes (§3.6.6).
  bool is_resent() const;

  // All fields, without the empty line that ends a header section.
  std::string text() const;

 private:
  struct Field {
    std::string name;  // lower case
    std::string text;  // all of it, with name and CRLF
  };
  std::vector<Field> fields_;
};

}  // namespace hooksmtpd::sendmail
