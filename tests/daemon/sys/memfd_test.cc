#include "daemon/sys/memfd.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

using namespace hooksmtpd::sys;

TEST_CASE("a sealed text is read as it was written, and nobody can change it") {
  const std::string text = std::string(100'000, 'a') + '\0' + "end";
  const Fd memfd = make_sealed_memfd("test", text);
  CHECK(read_sealed_memfd(memfd) == text);
  CHECK(::write(memfd.get(), "x", 1) == -1);
  CHECK(::ftruncate(memfd.get(), 0) == -1);
  CHECK(read_sealed_memfd(memfd) == text);  // a second time: the offset does not matter
}

TEST_CASE("what is not sealed, or too large, is refused") {
  const Fd open(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  CHECK_FALSE(read_sealed_memfd(open));
  CHECK_FALSE(read_sealed_memfd(Fd(::dup(STDIN_FILENO))));
  CHECK_FALSE(read_sealed_memfd(make_sealed_memfd("test", "four!"), 4));
}
