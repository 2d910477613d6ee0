// A seccomp filter as a value: which system calls a process may make from some point on, and what becomes of the others
// (seccomp(2)). Filters pile up: a later one can only take away.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hooksmtpd::sys {

// What becomes of a call.
struct Verdict {
  enum class Kind : std::uint8_t { kAllow, kRefuse, kKill };  // kKill: the whole process, by SIGSYS
  Kind kind = Kind::kAllow;
  int error = 0;  // of kRefuse: the errno that the caller sees

  friend bool operator==(const Verdict&, const Verdict&) = default;
};
inline constexpr Verdict kAllow{Verdict::Kind::kAllow, 0};
inline constexpr Verdict kKill{Verdict::Kind::kKill, 0};
constexpr Verdict refuse(int error) { return {Verdict::Kind::kRefuse, error}; }

// What is asked of an argument, counted from 0. Of a pointer only the address is seen, never what it points to.
struct Condition {
  unsigned argument = 0;
  std::uint64_t mask = ~0ull;  // (argument & mask) == value
  std::uint64_t value = 0;
};
constexpr Condition equals(unsigned argument, std::uint64_t value) { return {argument, ~0ull, value}; }
// The upper half of the register may hold anything where the kernel takes an int.
constexpr Condition int_equals(unsigned argument, std::uint32_t value) { return {argument, 0xffffffffull, value}; }
constexpr Condition has_none_of(unsigned argument, std::uint64_t bits) { return {argument, bits, 0}; }
constexpr Condition has_all_of(unsigned argument, std::uint64_t bits) { return {argument, bits, bits}; }

struct SyscallRule {
  std::vector<std::string_view> calls;  // names as in syscalls(2); one that this architecture has not is passed over
  Verdict verdict;
  std::vector<Condition> when{};  // all must hold; where none of a call's rules holds, `otherwise` does
};

struct SyscallFilter {
  Verdict otherwise;
  std::vector<SyscallRule> rules;
  bool logged = false;  // what is refused is told to the kernel's audit
};

// To the peer of a socket that is connected, and to nobody else. A listener that was shut down, and a connection that
// was dissolved, can be connected anew by the flag MSG_FASTOPEN of send(2): past connect(2), past Landlock, and in the
// network of whoever made the socket.
void allow_sending(SyscallFilter& filter);

// Why this process cannot have a filter, for people; empty: it can.
std::string syscall_filter_missing();

// From now on, for this thread and whatever it starts; gone with the process only. Calls of another architecture than
// ours (32 bits, x32) kill. Needs no_new_privs. Throws std::system_error; std::logic_error: a call that nobody knows.
void install(const SyscallFilter& filter);

}  // namespace hooksmtpd::sys
