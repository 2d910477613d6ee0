#include "daemon/sys/memfd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "daemon/sys/error.h"

namespace hooksmtpd::sys {
namespace {

constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

}  // namespace

Fd make_sealed_memfd(const char* name, std::string_view text) {
  Fd memfd = make_memfd(name);
  write_and_seal(memfd, text);
  return memfd;
}

Fd make_memfd(const char* name) {
  return Fd(must(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create"));
}

void write_and_seal(const Fd& memfd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = must(::write(memfd.get(), text.data(), text.size()), "write to a memfd");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  must(::fcntl(memfd.get(), F_ADD_SEALS, kSeals), "seal a memfd");
}

std::optional<std::string> read_sealed_memfd(const Fd& memfd, std::size_t limit) {
  const int seals = ::fcntl(memfd.get(), F_GET_SEALS);
  struct stat status{};
  if (seals < 0 || (seals & kSeals) != kSeals || ::fstat(memfd.get(), &status) != 0) return std::nullopt;
  if (static_cast<std::size_t>(status.st_size) > limit) return std::nullopt;
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t at = 0;
  while (at < text.size()) {
    const ssize_t got = ::pread(memfd.get(), text.data() + at, text.size() - at, static_cast<off_t>(at));
    if (got <= 0) return std::nullopt;
    at += static_cast<std::size_t>(got);
  }
  return text;
}

}  // namespace hooksmtpd::sys
