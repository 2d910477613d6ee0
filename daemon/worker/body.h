// A message on its way to the hooks: in memory while it is small, in the spool once it is not. Whatever it put into the
// spool goes when it is destroyed.

#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "daemon/sys/fd.h"
#include "daemon/worker/spool.h"

namespace hooksmtpd::worker {

inline constexpr std::size_t kMaxBodyInMemory = 64 * 1024;

class Body {
 public:
  // `transaction`: its id.
  Body(Spool& spool, std::string_view transaction);
  Body(Body&&) = delete;
  ~Body();

  // An error of the spool is kept for place_for(): the client is told at the end of its data.
  void append(std::string_view run);

  // Makes the message readable for hook `hook`, and gives the name under which it finds it. errno on failure.
  std::expected<std::string, int> place_for(const std::string& hook);
  // Takes it away again.
  void withdraw();

  // Puts octets into its midst, `offset` octets from its beginning; no hook can read it meanwhile. errno on failure:
  // it is as it was then.
  std::expected<void, int> insert(std::size_t offset, std::string_view octets);

  std::uint64_t size() const { return size_; }
  // How the message begins: at most `most` octets, or what can be read of them.
  std::string head(std::size_t most) const;
  // All of it; empty once it is in the spool.
  std::string_view in_memory() const { return memory_; }

 private:
  void fail(int error);
  void remove_file();

  // The octets from `offset` on of the file, to the end of `to`.
  std::expected<void, int> copy_file(std::uint64_t offset, std::uint64_t octets, const sys::Fd& to) const;

  Spool& spool_;
  std::string name_;           // of the file: the transaction's id, then other things
  std::uint32_t version_ = 0;  // how often it was inserted into while it was a file
  std::string memory_;
  sys::Fd file_;        // in incoming, once the message outgrew the memory
  std::string holder_;  // the hook that can read it now, or empty
  HookFolder::File placed_;
  std::uint64_t size_ = 0;
  int error_ = 0;  // of the spool; what it had taken is gone again
};

}  // namespace hooksmtpd::worker
