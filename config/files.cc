#include "config/files.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "config/read_file.h"

namespace hooksmtpd::config {
namespace {

namespace fs = std::filesystem;

class Reader {
 public:
  explicit Reader(std::vector<Problem>& problems) : problems_(problems) {}

  enum class Absent { kFine, kError };
  void read(const fs::path& name, Absent absent) {
    auto file = read_file(name);
    if (!file && file.error().code == ENOENT && absent == Absent::kFine) return;
    if (!file) return wrong(name, file.error().text + (file.error().code == EFBIG ? kSplit : ""));
    if (owner_ == kNobody) owner_ = file->owner;
    files_.push_back({.name = name, .text = std::string(file->text)});
  }

  void read_folder(const fs::path& name) {
    struct stat status{};
    if (::stat(name.c_str(), &status) != 0) {
      if (errno != ENOENT) wrong(name, unreadable(name, errno));
      return;
    }
    if (!S_ISDIR(status.st_mode)) return wrong(name, unreadable(name, ENOTDIR));
    if ((status.st_mode & S_IWOTH) != 0) {
      return wrong(name, fmt::format("every user can add files to it: chmod o-w {}", name.string()));
    }
    // For a main file in /tmp, somebody else's /tmp/conf.d must not count.
    if (status.st_uid != 0 && status.st_uid != ::geteuid() && status.st_uid != owner_) {
      return wrong(name, fmt::format("belongs to user {}, who owns nothing else here: chown root {}", status.st_uid,
                                     name.string()));
    }

    std::error_code error;
    std::vector<fs::path> names;
    for (fs::directory_iterator entry(name, error), end; !error && entry != end; entry.increment(error)) {
      const std::string file = entry->path().filename().string();
      if (file.ends_with(".toml") && !file.starts_with('.')) names.push_back(entry->path());
    }
    if (error) return wrong(name, unreadable(name, error.value()));
    std::ranges::sort(names, {}, [](const fs::path& path) { return path.native(); });
    for (const fs::path& file : names) read(file, Absent::kError);
  }

  std::vector<FileText> take() { return std::move(files_); }

 private:
  static constexpr uid_t kNobody = static_cast<uid_t>(-1);
  static constexpr const char* kSplit = ": split it into files in conf.d";

  void wrong(const fs::path& name, std::string text) {
    problems_.push_back({.severity = Severity::kError, .where = {.file = name.string()}, .text = std::move(text)});
  }
  std::vector<Problem>& problems_;
  std::vector<FileText> files_;
  uid_t owner_ = kNobody;  // of the main file
};

}  // namespace

std::vector<FileText> read_files(const Request& request, std::vector<Problem>& problems) {
  if (request.defaults_only) return {};
  const fs::path main = fs::absolute(request.file.value_or(kDefaultFile)).lexically_normal();
  Reader reader(problems);
  reader.read(main, request.file ? Reader::Absent::kError : Reader::Absent::kFine);
  reader.read_folder(main.parent_path() / "conf.d");
  return reader.take();
}

}  // namespace hooksmtpd::config
