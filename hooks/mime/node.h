// A part of a message: what is known of it before its body is read.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hooks/mime/content.h"
#include "hooks/mime/defects.h"
#include "hooks/mime/header.h"

namespace hooksmtpd::mime {

// Octets of a file, from `begin` to before `end`.
struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  std::uint64_t size() const { return end - begin; }
};

struct Node {
  std::string number;  // as IMAP numbers parts (RFC 9051 §6.4.5.1); "" for a multipart that is the message
  Header header;
  Content content;
  Defects defects;
  Range body;  // without the line end before the boundary, which belongs to that

  std::vector<std::unique_ptr<Node>> parts;  // of a multipart,
  Range preamble, epilogue;                  // and what stands around them
  std::unique_ptr<Node> message;             // of message/rfc822 and message/global

  std::uint64_t size = 0;  // of anything but a multipart, once its file is written
};

}  // namespace hooksmtpd::mime
