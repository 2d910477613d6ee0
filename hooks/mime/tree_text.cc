#include "hooks/mime/tree_text.h"

#include <string_view>
#include <utility>

#include "proto/hook/json_writer.h"

namespace hooksmtpd::mime {
namespace {

constexpr std::string_view kName = "tree.json";
constexpr std::size_t kBlock = 256 * 1024;  // octets to write at once

}  // namespace

void TreeText::relieve() {
  if (end_.size() > (file_ ? kBlock : room_)) spill(end_.size() - 1);  // JsonWriter looks at the last one
}

std::expected<std::string, int> TreeText::finish() {
  if (!file_ && end_.size() <= room_) return std::move(end_);
  spill(end_.size());
  if (error_ != 0) return std::unexpected(error_);
  std::string reference;
  hook::JsonWriter writer(reference);
  writer.begin_object();
  writer.text("path", files_.path(kName));
  writer.end_object();
  return reference;
}

void TreeText::spill(std::size_t octets) {
  if (!file_) {
    auto made = files_.create(std::string(kName));
    if (!made) error_ = made.error();
    file_ = made ? std::move(*made) : File();
  }
  if (error_ == 0) {
    const auto written = write_all(*file_, std::string_view(end_).substr(0, octets));
    if (!written) error_ = written.error();
  }
  end_.erase(0, octets);
}

}  // namespace hooksmtpd::mime
