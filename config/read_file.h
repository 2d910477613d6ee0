// One file, whole: of the configuration, or one that it names.

#pragma once

#include <sys/types.h>

#include <cstddef>
#include <expected>
#include <filesystem>
#include <string>

#include "config/wiped_string.h"

namespace hooksmtpd::config {

inline constexpr std::size_t kLargestFile = 1024 * 1024;

struct FileContent {
  WipedString text;
  uid_t owner = 0;
  mode_t mode = 0;
};

struct FileError {
  int code;          // errno; EFBIG: larger than kLargestFile
  std::string text;  // goes on from the file's name: "cannot be read: No such file or directory"
};

// A FIFO or a device is not read, nor a file that every user can change: these files decide what runs and who may come
// in. Where a permission is missing, the error says how to give it.
std::expected<FileContent, FileError> read_file(const std::filesystem::path& name);

// "cannot be read: …" for an errno.
std::string unreadable(const std::filesystem::path& name, int error);

}  // namespace hooksmtpd::config
