// The JSON of a tree while it grows: in memory while it is short, else in a file.

#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>

#include "hooks/mime/part_files.h"

namespace hooksmtpd::mime {

class TreeText {
 public:
  // What fits into `room` octets stays in memory.
  TreeText(const PartFiles& files, std::size_t room) : files_(files), room_(room) {}

  // To append to. After relieve() it may have the last octet only.
  std::string& end() { return end_; }
  // Call it now and then: moves what is too long into tree.json.
  void relieve();

  // The value of `mime`: the tree, or {"path":"…/tree.json"}. The error is an errno.
  std::expected<std::string, int> finish();

 private:
  void spill(std::size_t octets);

  const PartFiles& files_;
  const std::size_t room_;
  std::string end_;
  std::optional<File> file_;
  int error_ = 0;
};

}  // namespace hooksmtpd::mime
