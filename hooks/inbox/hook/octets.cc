#include "hooks/inbox/hook/octets.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace hooksmtpd::inbox {
namespace {

constexpr std::uint64_t kMostRead = 32 * 1024;  // octets of a file that is not mapped

}  // namespace

std::expected<std::shared_ptr<Octets>, int> Octets::map_all(int file, std::uint64_t size) {
  const std::shared_ptr<Octets> octets(new Octets(file));
  if (size == 0) return octets;
  void* const place = mmap(nullptr, size, PROT_READ, MAP_SHARED, file, 0);
  if (place == MAP_FAILED) return std::unexpected(errno);
  octets->place_ = place;
  octets->size_ = size;
  return octets;
}

// One more is asked for: a longer file is not the one that was told of.
std::expected<std::shared_ptr<Octets>, int> Octets::read_all(int file, std::uint64_t size) {
  const std::shared_ptr<Octets> octets(new Octets(file));
  octets->read_.resize(size + 1);
  const ssize_t got = pread(file, octets->read_.data(), size + 1, 0);
  if (got < 0) return std::unexpected(errno);
  if (static_cast<std::uint64_t>(got) != size) return std::unexpected(EIO);
  octets->read_.resize(size);
  return octets;
}

std::expected<std::shared_ptr<Octets>, int> Octets::map(const std::string& path, std::uint64_t size) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return std::unexpected(errno);
  if (size <= kMostRead) return read_all(file, size);
  struct stat status{};
  if (fstat(file, &status) != 0 || static_cast<std::uint64_t>(status.st_size) != size) {
    close(file);
    return std::unexpected(EIO);
  }
  return map_all(file, size);
}

std::expected<std::shared_ptr<Octets>, int> Octets::copy(std::string_view octets) {
  const int file = memfd_create("message", MFD_CLOEXEC);
  if (file < 0) return std::unexpected(errno);
  for (std::string_view left = octets; !left.empty();) {
    const ssize_t written = write(file, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const int error = errno;
      close(file);
      return std::unexpected(error);
    }
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  return map_all(file, octets.size());
}

Octets::~Octets() {
  if (place_) munmap(place_, size_);
  close(file_);
}

}  // namespace hooksmtpd::inbox
