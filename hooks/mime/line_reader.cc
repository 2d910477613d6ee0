#include "hooks/mime/line_reader.h"

#include <unistd.h>

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

Piece LineReader::next() {
  if (stopped_) return {.begin = offset()};
  const auto find_end = [this](std::size_t from) -> const char* {
    return static_cast<const char*>(std::memchr(buffer_.data() + from, '\n', filled_ - from));
  };
  const char* end = find_end(position_);
  if (end == nullptr) {
    fill();
    end = find_end(position_);
  }
  if (stopped_) return {.begin = offset()};
  const std::size_t length =
      end == nullptr ? filled_ - position_ : static_cast<std::size_t>(end - (buffer_.data() + position_)) + 1;
  const Piece piece{.begin = offset(),
                    .text = std::string_view(buffer_.data() + position_, length),
                    .starts_line = std::exchange(at_line_start_, end != nullptr)};
  position_ += length;
  return piece;
}

void LineReader::seek(std::uint64_t offset) {
  at_line_start_ = true;
  if (offset >= base_ && offset <= base_ + filled_) {
    position_ = static_cast<std::size_t>(offset - base_);
    return;
  }
  base_ = offset;
  position_ = filled_ = 0;
}

// Moves what has not been given yet to the front, and reads until the buffer is full or the file over.
void LineReader::fill() {
  std::memmove(buffer_.data(), buffer_.data() + position_, filled_ - position_);
  base_ += position_;
  filled_ -= std::exchange(position_, 0);
  while (filled_ < buffer_.size()) {
    const ssize_t got =
        pread(file_, buffer_.data() + filled_, buffer_.size() - filled_, static_cast<off_t>(base_ + filled_));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      error_ = errno;
      return stop();
    }
    if (got == 0) return;
    filled_ += static_cast<std::size_t>(got);
  }
}

}  // namespace hooksmtpd::mime
