#include "hooks/inbox/hook/octets.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace hooksmtpd::inbox {
namespace {

constexpr std::uint64_t kMostRead = 32 * 1024;  // octets of a file that is not mapped

class File {
 public:
  explicit File(const std::string& path) : file_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (file_ >= 0) close(file_);
  }
  int get() const { return file_; }

 private:
  int file_;
};

}  // namespace

// Of a small file one more is asked for: a longer one is not the one that was told of.
std::expected<std::shared_ptr<const Octets>, int> Octets::read(const std::string& path, std::uint64_t size) {
  const File file(path);
  if (file.get() < 0) return std::unexpected(errno);
  if (size <= kMostRead) {
    std::string octets(size + 1, '\0');
    const ssize_t got = pread(file.get(), octets.data(), octets.size(), 0);
    if (got < 0) return std::unexpected(errno);
    if (static_cast<std::uint64_t>(got) != size) return std::unexpected(EIO);
    octets.resize(size);
    return std::shared_ptr<const Octets>(new Octets(std::move(octets)));
  }
  struct stat status{};
  if (fstat(file.get(), &status) != 0) return std::unexpected(errno);
  if (static_cast<std::uint64_t>(status.st_size) != size) return std::unexpected(EIO);
  void* const place = mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
  if (place == MAP_FAILED) return std::unexpected(errno);
  return std::shared_ptr<const Octets>(new Octets(place, size));
}

std::expected<std::shared_ptr<const Octets>, int> Octets::keep(std::string octets, std::uint64_t size) {
  if (octets.size() != size) return std::unexpected(EIO);
  return std::shared_ptr<const Octets>(new Octets(std::move(octets)));
}

Octets::~Octets() {
  if (place_) munmap(place_, size_);
}

}  // namespace hooksmtpd::inbox
