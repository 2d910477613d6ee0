// What the Content-* fields of a part say (RFC 2045, RFC 2183), with RFC 2231 and what is common though it is wrong
// read by GMime.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hooks/mime/defects.h"
#include "hooks/mime/header.h"

namespace hooksmtpd::mime {

// Names in lower case, each once; values decoded, valid UTF-8.
using Parameters = std::vector<std::pair<std::string, std::string>>;

// The value of a parameter, or nullptr.
const std::string* find(const Parameters& parameters, std::string_view name);

struct Content {
  std::string type;  // "text/plain", lower case
  Parameters params;
  std::optional<std::string> disposition;  // lower case
  Parameters disposition_params;
  std::optional<std::string> filename;  // of the disposition, else the name of the type
  std::optional<std::string> encoding;  // lower case
  std::optional<std::string> id;        // without angle brackets
  std::optional<std::string> description;

  bool is_text() const { return type.starts_with("text/"); }
  bool is_multipart() const { return type.starts_with("multipart/"); }
  bool is_message() const { return type == "message/rfc822" || type == "message/global"; }
};

// Of text/*: in lower case, "us-ascii" where it is not said (RFC 2046 §4.1.2).
std::string charset(const Content& content);

// `default_type` is that of a part that does not say, or cannot be understood.
Content read_content(const Header& header, std::string_view default_type, Defects& defects);

}  // namespace hooksmtpd::mime
