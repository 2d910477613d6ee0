#include "hooks/mime/tree_writer.h"

#include <algorithm>

#include "hooks/mime/bodies.h"
#include "hooks/mime/body_decoder.h"
#include "hooks/mime/charset.h"
#include "hooks/mime/encoded_words.h"
#include "hooks/mime/field_text.h"
#include "hooks/mime/structure.h"
#include "proto/mail/utf8.h"

namespace hooksmtpd::mime {
namespace {

bool is_broken(const Node& node) {
  return !node.defects.empty() || std::ranges::any_of(node.parts, [](const auto& part) { return is_broken(*part); }) ||
         (node.message && is_broken(*node.message));
}

// CRLF -> LF. A CR at the end stays in `text`: what it is the next piece shows.
std::string take_lines(std::string& text) {
  std::string lines;
  lines.reserve(text.size());
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] != '\r' || text[i + 1] != '\n') lines += text[i];
  }
  const bool undecided = text.ends_with('\r');
  if (!undecided && !text.empty()) lines += text.back();
  text.clear();
  if (undecided) text += '\r';
  return lines;
}

}  // namespace

std::expected<void, int> TreeWriter::write(const Source& from, const Node& node) {
  json_.begin_object();
  members(from, node);
  json_.boolean("broken", is_broken(node));
  json_.end_object();
  if (error_ != 0) return std::unexpected(error_);
  return {};
}

void TreeWriter::members(const Source& from, const Node& node) {
  headers(node.header);
  content(node.content);
  json_.begin_array("defects");
  for (const std::string& sentence : node.defects.sentences()) json_.text(sentence);
  json_.end_array();
  if (node.content.is_multipart()) {
    multipart(from, node);
  } else {
    file(node);
    if (node.message) message(from, node);
  }
  out_.relieve();
}

void TreeWriter::headers(const Header& header) {
  json_.begin_array("headers");
  for (std::size_t i = 0; i < header.size(); ++i) {
    const Field field = header[i];
    json_.begin_array();
    json_.text(field.name);
    json_.text(field.raw);  // U+FFFD for what is not UTF-8
    json_.text(decode_words(unfolded(field.raw)).text);
    if (!mail::is_utf8(field.raw)) json_.base64(field.raw);
    json_.end_array();
    out_.relieve();
  }
  json_.end_array();
}

void TreeWriter::content(const Content& content) {
  json_.text("type", content.type);
  parameters("params", content.params);
  optional("disposition", content.disposition);
  parameters("disposition_params", content.disposition_params);
  optional("filename", content.filename);
  optional("encoding", content.encoding);
  optional("content_id", content.id);
  optional("description", content.description);
}

void TreeWriter::parameters(std::string_view key, const Parameters& parameters) {
  json_.begin_object(key);
  for (const auto& [name, value] : parameters) {
    json_.name(name);
    json_.text(value);
  }
  json_.end_object();
}

void TreeWriter::optional(std::string_view key, const std::optional<std::string>& value) {
  if (value) return json_.text(key, *value);
  json_.name(key);
  json_.null();
}

void TreeWriter::multipart(const Source& from, const Node& node) {
  around(from, "preamble", node.preamble);
  json_.begin_array("parts");
  for (const auto& part : node.parts) {
    json_.begin_object();
    members(from, *part);
    json_.end_object();
  }
  json_.end_array();
  around(from, "epilogue", node.epilogue);
}

void TreeWriter::around(const Source& from, std::string_view key, Range range) {
  range.end = std::min(range.end, range.begin + kMaxAround);
  bool blank = true;
  const auto read = read_range(from, range, [&](std::string_view piece) {
    blank = trimmed(piece).empty();
    return blank;
  });
  if (!read) error_ = read.error();
  if (!blank) text(key, from, range, "utf-8");
}

void TreeWriter::file(const Node& node) {
  json_.number("size", node.size);
  json_.text("path", files_.path(node.number));
  if (!node.content.is_text()) return;
  const std::string name = charset(node.content);
  json_.text("charset", name);
  const auto decoded = files_.open(node.number);
  if (!decoded) {
    error_ = decoded.error();
    return;
  }
  text("text", decoded->get(), {.begin = 0, .end = node.size}, name);
}

void TreeWriter::message(const Source& from, const Node& node) {
  json_.begin_object("message");
  if (encodes(node.content.encoding)) {
    const auto decoded = files_.open(node.number);
    if (decoded) members(decoded->get(), *node.message);
    if (!decoded) error_ = decoded.error();
  } else {
    members(from, *node.message);
  }
  json_.end_object();
}

void TreeWriter::text(std::string_view key, const Source& from, Range range, std::string_view charset) {
  ToUtf8 converter(charset);
  std::string utf8;
  json_.begin_text(key);
  const auto read = read_range(from, range, [&](std::string_view octets) {
    converter.step(octets, utf8);
    json_.more_text(take_lines(utf8));
    out_.relieve();
    return true;
  });
  if (!read) error_ = read.error();
  converter.finish(utf8);
  json_.more_text(take_lines(utf8));
  json_.more_text(utf8);
  json_.end_text();
}

}  // namespace hooksmtpd::mime
