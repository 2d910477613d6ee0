#include "hooks/mime/part_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

namespace hooksmtpd::mime {
namespace {

constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

// It comes from the daemon; a slash in it would lead out of the folder.
bool is_transaction(std::string_view text) {
  return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::vector<std::string> names_in(int folder) {
  std::vector<std::string> names;
  const int own = openat(folder, ".", kFolder);  // closedir() closes it
  const std::unique_ptr<DIR, CloseFolder> listing(own < 0 ? nullptr : fdopendir(own));
  if (!listing) return names;
  while (const dirent* entry = readdir(listing.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

// A folder of ours has files only. A link is removed, never followed.
void remove_entry(int folder, const std::string& name) {
  if (unlinkat(folder, name.c_str(), 0) == 0 || errno == ENOENT) return;
  const File inner(openat(folder, name.c_str(), kFolder));
  if (!inner.is_open()) return;
  for (const std::string& file : names_in(inner.get())) unlinkat(inner.get(), file.c_str(), 0);
  unlinkat(folder, name.c_str(), AT_REMOVEDIR);
}

}  // namespace

File::File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::expected<void, int> write_all(const File& file, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t written = write(file.get(), octets.data(), octets.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return std::unexpected(errno);
    octets.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

PartFiles::PartFiles(int shelf, std::string name, std::string path, File folder)
    : shelf_(shelf), name_(std::move(name)), path_(std::move(path)), folder_(std::move(folder)) {}

PartFiles::PartFiles(PartFiles&& other) noexcept
    : shelf_(other.shelf_),
      name_(std::move(other.name_)),
      path_(std::move(other.path_)),
      folder_(std::move(other.folder_)),
      kept_(std::exchange(other.kept_, true)) {}

PartFiles::~PartFiles() {
  if (!kept_) remove_entry(shelf_, name_);
}

std::expected<File, int> PartFiles::create(const std::string& name) const {
  File file(openat(folder_.get(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444));
  if (!file.is_open() || fchmod(file.get(), 0444) != 0) return std::unexpected(errno);  // whatever the umask
  return file;
}

std::expected<File, int> PartFiles::open(const std::string& name) const {
  File file(openat(folder_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file.is_open()) return std::unexpected(errno);
  return file;
}

std::string PartFiles::path(std::string_view name) const { return path_ + "/" + std::string(name); }

std::expected<Shelf, int> Shelf::open(const std::string& path) {
  File folder(::open(path.c_str(), kFolder));
  if (!folder.is_open()) return std::unexpected(errno);
  return Shelf(path, std::move(folder));
}

// The shelf is closed to all but whom it is for; whoever may enter that may enter this, and list nothing.
std::expected<PartFiles, int> Shelf::make(const std::string& transaction) const {
  if (!is_transaction(transaction)) return std::unexpected(EINVAL);
  remove(transaction);
  if (mkdirat(folder_.get(), transaction.c_str(), 0711) != 0) return std::unexpected(errno);
  File made(openat(folder_.get(), transaction.c_str(), kFolder));
  if (!made.is_open() || fchmod(made.get(), 0711) != 0) {
    const int error = errno;
    remove(transaction);
    return std::unexpected(error);
  }
  return PartFiles(folder_.get(), transaction, path_ + "/" + transaction, std::move(made));
}

void Shelf::remove(const std::string& transaction) const {
  if (is_transaction(transaction)) remove_entry(folder_.get(), transaction);
}

void Shelf::remove_all() const {
  for (const std::string& name : names_in(folder_.get())) remove_entry(folder_.get(), name);
}

}  // namespace hooksmtpd::mime
