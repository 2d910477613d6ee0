// What the supervisor might say to the keyholder: it obeys, or it ends.

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <cassert>
#include <cstdint>

#include "config/config.h"
#include "daemon/keyholder/keyholder.h"
#include "daemon/sys/key_files.h"
#include "daemon/sys/memfd.h"
#include "daemon/sys/pair.h"
#include "tests/fuzz/packets.h"

using namespace hooksmtpd;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const sys::Fd config = sys::make_sealed_memfd("config", config::to_json(config::for_keyholder({})));
  static const sys::Fd no_config = sys::make_sealed_memfd("none", "{\"hooks\":7}");
  static const sys::Pipe life = sys::make_pipe();
  sys::SocketPair control = sys::make_socket_pair();
  const sys::SocketPair other = sys::make_socket_pair();
  for (const fuzz::Packet& packet : fuzz::packets_of(data, size)) {
    const std::array descriptors{config.get(), no_config.get(), other.ours.get(), life.write.get()};
    if (!fuzz::send(control.ours, packet, std::span(descriptors).subspan(packet.choice % descriptors.size()))) break;
  }
  ::shutdown(control.ours.get(), SHUT_WR);
  keyholder::Keyholder keyholder({.log = sys::Log::to_pipe(sys::Fd(::open("/dev/null", O_WRONLY | O_CLOEXEC))),
                                  .control = std::move(control.theirs),
                                  .life = sys::Fd(::fcntl(life.read.get(), F_DUPFD_CLOEXEC, 0)),
                                  .key_files = sys::make_sealed_memfd("keys", sys::to_bytes({}))});
  const int status = keyholder.run();
  assert(status == 0 || status == 1);
  return 0;
}
