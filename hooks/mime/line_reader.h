// The lines of a message: where they are, if it is in memory, else through a buffer that does not grow with them.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "hooks/mime/source.h"

namespace hooksmtpd::mime {

// A line, or a piece of one that is longer than the buffer. Only LF ends a line; it belongs to it.
struct Piece {
  std::uint64_t begin = 0;  // where it is in the message
  std::string_view text{};  // empty: there is nothing more
  bool starts_line = true;

  std::uint64_t end() const { return begin + text.size(); }
  bool ends_line() const { return text.ends_with('\n'); }
};

// `line` without the CRLF, or the LF, at its end.
std::string_view without_line_end(std::string_view line);

class LineReader {
 public:
  static constexpr std::size_t kBuffer = 64 * 1024;

  explicit LineReader(const Source& source);

  // Good until the next call. A piece that starts a line has all of it, or kBuffer octets.
  Piece next();

  // The next piece starts a line there.
  void seek(std::uint64_t offset);
  // From now on there is nothing more.
  void stop() { stopped_ = true; }

  std::uint64_t offset() const { return base_ + position_; }  // of the next piece
  int error() const { return error_; }                        // an errno of read(2), which has stopped it; else 0

 private:
  void fill();

  Source source_;
  std::vector<char> buffer_{};  // of a file
  const char* data_ = nullptr;  // the buffer, or all that is in memory
  std::size_t filled_ = 0;      // octets that are there
  std::size_t position_ = 0;    // of those, given already
  std::uint64_t base_ = 0;      // where they begin in the message
  bool at_line_start_ = true;
  bool stopped_ = false;
  int error_ = 0;
};

}  // namespace hooksmtpd::mime
