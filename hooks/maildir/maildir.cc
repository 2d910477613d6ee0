#include "hooks/maildir/maildir.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "proto/hook/printable.h"

namespace hooksmtpd::maildir {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBeginning = 64 * 1024;
constexpr std::size_t kBlock = 128 * 1024;
constexpr auto kAbandoned = std::chrono::hours(36);  // the convention: nobody writes one message for so long

// A descriptor.
class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  File& operator=(File&&) = delete;
  ~File() { close(); }

  bool is_open() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }
  // The last chance of some file systems to say that a write has failed.
  bool close() { return descriptor_ < 0 || ::close(std::exchange(descriptor_, -1)) == 0; }

 private:
  int descriptor_;
};

// Of the call that has just failed with errno.
std::unexpected<StoreError> failed(std::string_view call, const fs::path& path) {
  const int error = errno;
  return std::unexpected(StoreError{
      error, fmt::format("{} \"{}\": {}", call, hook::printable(path.native(), 1000), std::strerror(error))});
}

std::expected<void, StoreError> sync_folder(const fs::path& folder) {
  const File file(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file.is_open()) return failed("open", folder);
  if (fsync(file.get()) != 0) return failed("fsync", folder);
  return {};
}

// Makes a folder and those above it, each on disk before what is in it.
std::expected<void, StoreError> make_folder(const fs::path& folder) {
  if (mkdir(folder.c_str(), 0700) == 0) return sync_folder(folder.parent_path());
  if (errno == EEXIST) return {};
  if (errno != ENOENT || !folder.has_relative_path()) return failed("mkdir", folder);
  if (auto above = make_folder(folder.parent_path()); !above) return above;
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return failed("mkdir", folder);
  return sync_folder(folder.parent_path());
}

void remove_abandoned(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const auto written = entry.last_write_time(error);
    if (error || fs::file_time_type::clock::now() - written < kAbandoned) continue;
    fs::remove(entry.path(), error);
  }
}

// Time, what makes it unique, host. A process number says little in a pid namespace, so there are random bits too.
std::string unique_name() {
  static unsigned count = 0;
  std::uint64_t random = 0;
  if (getrandom(&random, sizeof random, 0) != sizeof random) random = 0;
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  char host[256] = {};
  if (gethostname(host, sizeof host - 1) != 0) std::strcpy(host, "localhost");
  std::string name = fmt::format("{}.R{:016x}M{}P{}Q{}.", now.tv_sec, random, now.tv_nsec / 1000, getpid(), ++count);
  for (const char c : std::string_view(host)) {
    name += c == '/' ? "\\057" : c == ':' ? "\\072" : std::string(1, c);  // as the convention has it
  }
  return name;
}

std::expected<void, StoreError> write_all(const File& to, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(to.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("write", path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

// Copies to a file that is new, and sees it on disk.
std::expected<Stored, StoreError> write_copy(const fs::path& from_path, const fs::path& to_path) {
  const File from(open(from_path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!from.is_open()) return failed("open", from_path);
  File to(open(to_path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!to.is_open()) return failed("create", to_path);

  Stored stored{.file = to_path, .size = 0, .beginning = {}};
  std::vector<char> block(kBlock);
  while (true) {
    const ssize_t got = read(from.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("read", from_path);
    if (got == 0) break;
    const std::string_view bytes(block.data(), static_cast<std::size_t>(got));
    if (auto written = write_all(to, bytes, to_path); !written) return std::unexpected(std::move(written.error()));
    stored.size += bytes.size();
    stored.beginning.append(bytes.substr(0, kBeginning - std::min(kBeginning, stored.beginning.size())));
  }
  if (fsync(to.get()) != 0) return failed("fsync", to_path);
  if (!to.close()) return failed("close", to_path);
  return stored;
}

std::unexpected<StoreError> incomplete(std::uint64_t size, std::uint64_t announced) {
  return std::unexpected(StoreError{EIO, fmt::format("the message has {} octets, {} were announced", size, announced)});
}

}  // namespace

bool StoreError::is_full() const { return error == ENOSPC || error == EDQUOT; }

std::expected<void, StoreError> Maildir::prepare() const {
  for (const char* name : {"tmp", "new", "cur"}) {
    if (auto made = make_folder(folder_ / name); !made) return made;
  }
  remove_abandoned(folder_ / "tmp");
  return {};
}

std::expected<Stored, StoreError> Maildir::store(const fs::path& message, std::uint64_t size) const {
  const std::string name = unique_name();
  const fs::path draft = folder_ / "tmp" / name;
  const fs::path file = folder_ / "new" / name;

  auto stored = write_copy(message, draft);
  if (stored && stored->size != size) stored = incomplete(stored->size, size);
  if (!stored) {
    unlink(draft.c_str());
    return stored;
  }
  if (rename(draft.c_str(), file.c_str()) != 0) {
    auto error = failed("rename to", file);
    unlink(draft.c_str());
    return error;
  }
  if (auto synced = sync_folder(folder_ / "new"); !synced) {
    unlink(file.c_str());
    return std::unexpected(std::move(synced.error()));
  }
  stored->file = file;
  return stored;
}

std::expected<void, StoreError> Maildir::remove(const fs::path& file) const {
  if (unlink(file.c_str()) != 0) return failed("unlink", file);
  return sync_folder(file.parent_path());
}

}  // namespace hooksmtpd::maildir
