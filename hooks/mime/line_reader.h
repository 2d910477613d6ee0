// The lines of a message, out of its file, through a buffer that does not grow with them.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace hooksmtpd::mime {

// A line, or a piece of one that is longer than the buffer. Only LF ends a line; it belongs to it.
struct Piece {
  std::uint64_t begin = 0;  // where it is in the file
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

  explicit LineReader(int file) : file_(file), buffer_(kBuffer) {}

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

  int file_;
  std::vector<char> buffer_;
  std::uint64_t base_ = 0;  // where the buffer begins in the file
  std::size_t position_ = 0;
  std::size_t filled_ = 0;
  bool at_line_start_ = true;
  bool stopped_ = false;
  int error_ = 0;
};

}  // namespace hooksmtpd::mime
