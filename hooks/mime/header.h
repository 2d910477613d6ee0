// The header of a part: its fields in order, octet for octet.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hooks/mime/defects.h"

namespace hooksmtpd::mime {

struct Field {
  std::string_view name;
  std::string_view raw;  // behind the colon, with its folding, without the line end at its end
};

// What the line of a header that begins with them is.
enum class LineKind {
  kBlank,         // the end of the header
  kField,         // the first line of a field
  kContinuation,  // a further one
  kNoColon,       // none of these
  kBadName,       // there is a colon, but what stands before it is no name (RFC 5322 §2.2)
};
LineKind kind_of(std::string_view line);

class Header {
 public:
  // Lines with their line ends, as kind_of() says. A continuation belongs to the field added last.
  void add_field(std::string_view line);
  void add_continuation(std::string_view line);

  std::size_t size() const { return spans_.size(); }
  bool empty() const { return spans_.empty(); }
  Field operator[](std::size_t i) const;
  // The raw value of the first field of that name, in any case.
  std::optional<std::string_view> find(std::string_view name) const;

  // What is wrong with its octets, and which fields come twice that must not. `utf8`: it may be UTF-8 (RFC 6532).
  void check(bool utf8, Defects& defects) const;

 private:
  // `value` with its line end.
  static void check(std::string_view name, std::string_view value, bool utf8, Defects& defects);

  struct Span {
    std::uint32_t begin, name, value;  // of text_: where, and how many octets of each
  };
  std::string text_;  // names and values, without colons
  std::vector<Span> spans_;
};

bool same_name(std::string_view a, std::string_view b);

}  // namespace hooksmtpd::mime
