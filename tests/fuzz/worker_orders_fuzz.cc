// What the supervisor might say to the worker: it obeys, or it ends.

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <cassert>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "config/config.h"
#include "daemon/sys/memfd.h"
#include "daemon/sys/pair.h"
#include "daemon/worker/worker.h"
#include "tests/fuzz/packets.h"

using namespace hooksmtpd;

namespace {

// A spool of its own: a worker begins by emptying what it is given.
class Folder {
 public:
  Folder() {
    std::signal(SIGPIPE, SIG_IGN);
    std::string name = "/tmp/hooksmtpd-fuzz-XXXXXX";
    path_ = ::mkdtemp(name.data());
    std::filesystem::create_directory(path_ / "incoming");
    std::filesystem::create_directory(path_ / "policy");
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }

  sys::Fd open() const { return sys::Fd(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)); }

 private:
  std::filesystem::path path_;
};

sys::Fd a_config() {
  config::Config config;
  config.hostname = "mail.test";
  config::Hook hook;
  hook.name = "policy";
  hook.command = {"/opt/policy"};
  hook.events[0].subscribed = true;
  config.hooks.push_back(hook);
  return sys::make_sealed_memfd("config", config::to_json(config));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Folder folder;
  static const sys::Fd config = a_config();
  static const sys::Fd no_config = sys::make_sealed_memfd("none", "{\"hooks\":7}");
  static const sys::Pipe life = sys::make_pipe();
  sys::SocketPair control = sys::make_socket_pair();
  const sys::SocketPair other = sys::make_socket_pair();
  for (const fuzz::Packet& packet : fuzz::packets_of(data, size)) {
    const std::array descriptors{config.get(), no_config.get(), other.ours.get(), life.write.get()};
    if (!fuzz::send(control.ours, packet, std::span(descriptors).subspan(packet.choice % descriptors.size()))) break;
  }
  ::shutdown(control.ours.get(), SHUT_WR);
  worker::Worker worker({.log = sys::Log::to_pipe(sys::Fd(::open("/dev/null", O_WRONLY | O_CLOEXEC))),
                         .control = std::move(control.theirs),
                         .life = sys::Fd(::fcntl(life.read.get(), F_DUPFD_CLOEXEC, 0)),
                         .spool = folder.open(),
                         .listeners = {}});
  const int status = worker.run();
  assert(status == 0 || status == 1);
  return 0;
}
