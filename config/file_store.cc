#include "config/file_store.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "config/read_file.h"

namespace hooksmtpd::config {

namespace fs = std::filesystem;

std::expected<FileStore::Found, std::string> Disk::text(const fs::path& file) {
  auto content = read_file(file);
  if (!content) return std::unexpected(std::move(content.error().text));
  return Found{.text = std::move(content->text), .everybody_reads = (content->mode & S_IROTH) != 0};
}

std::expected<std::vector<fs::path>, std::string> Disk::list(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> names;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    names.push_back(entry->path());
  }
  if (error) return std::unexpected(unreadable(folder, error.value()));
  std::ranges::sort(names, {}, [](const fs::path& path) { return path.native(); });
  return names;
}

std::vector<fs::path> Disk::names(const fs::path& file) {
  constexpr std::size_t kMostLinks = 40;  // as the kernel's (path_resolution(7))
  std::vector<fs::path> names{file};
  std::error_code error;
  while (names.size() <= kMostLinks && fs::is_symlink(names.back(), error)) {
    const fs::path target = fs::read_symlink(names.back(), error);
    if (error) break;
    names.push_back((names.back().parent_path() / target).lexically_normal());
  }
  // Folders on the way may be links, too.
  if (const fs::path real = fs::canonical(file, error); !error && real != names.back()) names.push_back(real);
  return names;
}

std::expected<FileStore::Found, std::string> Texts::text(const fs::path& file) {
  const auto found = std::ranges::find(files_, file, &FileText::name);
  if (found == files_.end()) return std::unexpected(unreadable(file, ENOENT));
  return Found{.text = WipedString(found->text)};
}

std::expected<std::vector<fs::path>, std::string> Texts::list(const fs::path& folder) {
  std::vector<fs::path> names;
  for (const FileText& file : files_) {
    if (file.name.parent_path() == folder) names.push_back(file.name);
  }
  if (names.empty()) return std::unexpected(unreadable(folder, ENOENT));
  std::ranges::sort(names, {}, [](const fs::path& path) { return path.native(); });
  return names;
}

}  // namespace hooksmtpd::config
