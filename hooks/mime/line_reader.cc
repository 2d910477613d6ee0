#include "hooks/mime/line_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace hooksmtpd::mime {

std::string_view without_line_end(std::string_view line) {
  if (line.ends_with("\r\n")) return line.substr(0, line.size() - 2);
  if (line.ends_with('\n')) line.remove_suffix(1);
  return line;
}

LineReader::LineReader(const Source& source) : source_(source) {
  if (const auto& octets = source.octets()) {
    data_ = octets->data();
    filled_ = octets->size();
    return;
  }
  buffer_.resize(kBuffer);
  data_ = buffer_.data();
}

Piece LineReader::next() {
  if (stopped_) return {.begin = offset()};
  const auto find_end = [this] {
    const std::size_t within = std::min(filled_ - position_, kBuffer);
    return within == 0 ? nullptr : static_cast<const char*>(std::memchr(data_ + position_, '\n', within));
  };
  const char* end = find_end();
  if (end == nullptr) {
    fill();
    end = find_end();
  }
  if (stopped_) return {.begin = offset()};
  const std::size_t length =
      end == nullptr ? std::min(filled_ - position_, kBuffer) : static_cast<std::size_t>(end - (data_ + position_)) + 1;
  const Piece piece{.begin = offset(),
                    .text = std::string_view(data_ + position_, length),
                    .starts_line = std::exchange(at_line_start_, end != nullptr)};
  position_ += length;
  return piece;
}

void LineReader::seek(std::uint64_t offset) {
  at_line_start_ = true;
  if (source_.octets()) {
    position_ = static_cast<std::size_t>(std::min<std::uint64_t>(offset, filled_));
  } else if (offset >= base_ && offset <= base_ + filled_) {
    position_ = static_cast<std::size_t>(offset - base_);
  } else {
    base_ = offset;
    position_ = filled_ = 0;
  }
}

// Moves what has not been given yet to the front, and reads until the buffer is full or the file over.
void LineReader::fill() {
  if (source_.octets()) return;
  std::memmove(buffer_.data(), buffer_.data() + position_, filled_ - position_);
  base_ += position_;
  filled_ -= std::exchange(position_, 0);
  while (filled_ < buffer_.size()) {
    const ssize_t got = source_.read(buffer_.data() + filled_, buffer_.size() - filled_, base_ + filled_);
    if (got < 0) {
      error_ = errno;
      return stop();
    }
    if (got == 0) return;
    filled_ += static_cast<std::size_t>(got);
  }
}

}  // namespace hooksmtpd::mime
