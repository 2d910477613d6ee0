// The bytes of one client: those of its socket, or, once start_tls() was called, what TLS makes of them.
//
// Nothing here blocks or throws. Whoever gets kWantsRead or kWantsWrite calls again when the socket is readable or
// writable. That is not all there is to know: OpenSSL reads ahead, so bytes of the client may wait inside of it while
// the socket is silent. ready() says so.
//
// Without TLS each call is one system call and nothing else. With it, an idle stream keeps no record buffers.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "daemon/sys/fd.h"

struct ssl_st;

namespace hooksmtpd::tls {
class Context;
}

namespace hooksmtpd::worker {

class Stream {
 public:
  enum class Result : std::uint8_t {
    kDone,
    kWantsRead,
    kWantsWrite,
    kEnd,   // the client will send nothing more
    kLost,  // nor read: the connection is of no use any more
  };
  struct Transfer {
    Result result;
    std::size_t bytes = 0;  // that were moved, whatever the result
  };

  // `socket` does not block.
  explicit Stream(sys::Fd socket);
  Stream(const Stream&) = delete;
  ~Stream();

  int socket() const { return socket_.get(); }

  // kDone: at least one byte.
  Transfer read(std::span<char> into);
  // kDone: all of them. Otherwise call it again with what is left, more behind it or not, and nothing else in between.
  Transfer write(std::string_view bytes);

  // read() would give bytes, or the end, although no event of the socket will tell.
  bool ready() const;

  // From here on, TLS with us as the server. What the client sent in the clear and nobody read is taken for TLS, and
  // makes the handshake fail. `context` must outlive us. False: no memory for it.
  bool start_tls(const tls::Context& context);
  // Goes on with the handshake until kDone, or kLost with the reason in failure().
  Transfer handshake();
  ssl_st* tls() const;  // nullptr: start_tls() was not called

  // Why TLS failed, in OpenSSL's words; empty if it was not TLS that failed.
  std::string failure() const;

  // We send nothing more: close_notify (RFC 8446 §6.1), ...
  void say_end();
  // ... and FIN.
  void finish();
  // Throws away what the client still sends. False: it sends no more.
  bool discard(std::span<char> scratch);

 private:
  struct Tls;

  Transfer read_tls(std::span<char> into);
  Transfer write_tls(std::string_view bytes);
  Result result_of(int returned);

  sys::Fd socket_;
  std::unique_ptr<Tls> tls_;
};

}  // namespace hooksmtpd::worker
