// Text that leaves no trace in memory: a file named by mistake may be a private key, and whoever reads it goes on to
// fork.

#pragma once

#include <string.h>

#include <cstddef>
#include <memory>
#include <string>

namespace hooksmtpd::config {

// Overwrites what it frees.
template <typename T>
struct WipingAllocator {
  using value_type = T;

  WipingAllocator() = default;
  template <typename U>
  WipingAllocator(const WipingAllocator<U>&) {}  // NOLINT(google-explicit-constructor): what an allocator must do

  T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* memory, std::size_t count) {
    ::explicit_bzero(memory, count * sizeof(T));
    std::allocator<T>().deallocate(memory, count);
  }
  friend bool operator==(const WipingAllocator&, const WipingAllocator&) { return true; }
};

// As a std::string. The few octets that fit into the object itself are not wiped: no key is that short.
using WipedString = std::basic_string<char, std::char_traits<char>, WipingAllocator<char>>;

}  // namespace hooksmtpd::config
