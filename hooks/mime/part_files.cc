#include "hooks/mime/part_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace hooksmtpd::mime {
namespace {

// They come from the daemon; a slash in one would lead out of the folder.
bool is_transaction(std::string_view text) {
  return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

std::expected<PartFiles, int> PartFiles::make(const std::string& folder, const std::string& transaction) {
  if (!is_transaction(transaction)) return std::unexpected(EINVAL);
  remove(folder, transaction);
  std::string path = folder + "/" + transaction;
  // Its folder is closed to all but whom it is for; whoever may enter that may enter this, and list nothing.
  if (::mkdir(path.c_str(), 0711) != 0 || ::chmod(path.c_str(), 0711) != 0) return std::unexpected(errno);
  const int opened = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (opened < 0) return std::unexpected(errno);
  return PartFiles(std::move(path), opened);
}

PartFiles::PartFiles(PartFiles&& other) noexcept
    : path_(std::move(other.path_)), folder_(std::exchange(other.folder_, -1)) {}

PartFiles::~PartFiles() {
  if (folder_ >= 0) ::close(folder_);
}

std::expected<int, int> PartFiles::create(std::string_view name) const {
  const int file =
      ::openat(folder_, std::string(name).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
  if (file < 0) return std::unexpected(errno);
  ::fchmod(file, 0444);  // whatever the umask
  return file;
}

std::string PartFiles::path(std::string_view name) const { return path_ + "/" + std::string(name); }

void PartFiles::remove(const std::string& folder, const std::string& transaction) {
  if (!is_transaction(transaction)) return;
  std::error_code ignored;
  std::filesystem::remove_all(folder + "/" + transaction, ignored);  // follows no links
}

void PartFiles::remove_all(const std::string& folder) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    std::filesystem::remove_all(entry.path(), ignored);
  }
}

}  // namespace hooksmtpd::mime
