// A tree of nodes as JSON (PROTOCOL.md, "The tree").

#pragma once

#include <string>
#include <string_view>

#include "hooks/mime/node.h"
#include "hooks/mime/part_files.h"
#include "hooks/mime/source.h"
#include "hooks/mime/tree_text.h"
#include "proto/hook/json_writer.h"

namespace hooksmtpd::mime {

class TreeWriter {
 public:
  TreeWriter(const PartFiles& files, TreeText& out) : files_(files), out_(out), json_(out.end()) {}

  // `from`: the message that `node` is. The error is an errno.
  std::expected<void, int> write(const Source& from, const Node& node);

 private:
  void members(const Source& from, const Node& node);
  void headers(const Header& header);
  void content(const Content& content);
  void parameters(std::string_view key, const Parameters& parameters);
  void optional(std::string_view key, const std::optional<std::string>& value);
  void multipart(const Source& from, const Node& node);
  void around(const Source& from, std::string_view key, Range range);
  void file(const Node& node);
  void message(const Source& from, const Node& node);
  void text(std::string_view key, const Source& from, Range range, std::string_view charset);

  const PartFiles& files_;
  TreeText& out_;
  hook::JsonWriter json_;
  int error_ = 0;
};

}  // namespace hooksmtpd::mime
