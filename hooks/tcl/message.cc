#include "hooks/tcl/message.h"

#include <fcntl.h>
#include <tcl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace hooksmtpd::tcl {
namespace {

constexpr std::size_t kPiece = 64 * 1024;  // more than most messages have

// Adds the next piece of a file: how many octets, or -1.
ssize_t read_piece(int file, std::string& octets) {
  const std::size_t before = octets.size();
  ssize_t got = 0;
  octets.resize_and_overwrite(before + kPiece, [&](char* text, std::size_t) {
    do got = read(file, text + before, kPiece);
    while (got < 0 && errno == EINTR);
    return before + static_cast<std::size_t>(std::max<ssize_t>(got, 0));
  });
  return got;
}

// Texts of 1 to 127 are what they are in Tcl, too; NUL and what is above are not.
Tcl_Obj* line_value(std::string_view line) {
  const bool plain =
      std::ranges::count_if(line, [](char c) { return c <= 0; }) == 0;  // counting is faster than finding
  const int size = static_cast<int>(line.size());
  return plain ? Tcl_NewStringObj(line.data(), size)
               : Tcl_NewByteArrayObj(reinterpret_cast<const unsigned char*>(line.data()), size);
}

}  // namespace

Tcl_Obj* lines_of(std::string_view message) {
  std::vector<Tcl_Obj*> lines;
  while (!message.empty()) {
    const std::size_t end = message.find('\n');
    std::string_view line = message.substr(0, end);
    message.remove_prefix(std::min(end, message.size() - 1) + 1);
    if (end != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line_value(line));
  }
  return Tcl_NewListObj(static_cast<int>(lines.size()), lines.data());
}

// A piece that is not whole is the last.
std::expected<std::string, int> read_file(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::unexpected(errno);
  std::string octets;
  ssize_t got = 0;
  do got = read_piece(file, octets);
  while (got == static_cast<ssize_t>(kPiece));
  const int error = errno;
  close(file);
  if (got < 0) return std::unexpected(error);
  return octets;
}

}  // namespace hooksmtpd::tcl
